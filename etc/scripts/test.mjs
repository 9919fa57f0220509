// npm test: sets up, checks types, style and format, then runs the tests. `--long`: the long tests, without checks.
// The last line is `N passed, N failed`, with the checks counted in.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { checks } from './checks.mjs'
import { inRoot, root } from './root.mjs'
import { setUp } from './set-up.mjs'

const args = process.argv.slice(2)
const isLong = args[0] === '--long'
const vitestArguments = isLong ? args.slice(1) : args

setUp()
const total = { passed: 0, failed: 0, skipped: 0 }
if (!isLong) {
  for (const check of checks) count(check.run(), check.name)
}
add(runTests())
console.log(describe(total))
process.exitCode = total.failed === 0 ? 0 : 1

function count(isRight, name) {
  console.log(`${isRight ? 'passed' : 'FAILED'}: ${name}`)
  add({ passed: isRight ? 1 : 0, failed: isRight ? 0 : 1, skipped: 0 })
}

function add({ passed, failed, skipped }) {
  total.passed += passed
  total.failed += failed
  total.skipped += skipped
}

function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'sqlite-replicate-test-'))
  const summaryFile = join(folder, 'summary.json')
  const config = inRoot('test', isLong ? 'vitest.long.config.ts' : 'vitest.config.ts')
  const vitest = inRoot('node_modules', 'vitest', 'vitest.mjs')
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', config, ...vitestArguments], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, TEST_SUMMARY_FILE: summaryFile },
  })
  // A crash of the runner itself leaves no summary, or one that knows of no failure.
  const none = { passed: 0, failed: 0, skipped: 0 }
  const summary = existsSync(summaryFile) ? JSON.parse(readFileSync(summaryFile, 'utf8')) : none
  rmSync(folder, { recursive: true })
  if (status !== 0 && summary.failed === 0) summary.failed = 1
  return summary
}

function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
