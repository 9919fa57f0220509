// The checks that need no run: types, lint with the import directions, format.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { inRoot, root } from './root.mjs'

const FOLDERS = ['src', 'ltx', 'replica', 'lease', 'test', 'etc'].filter((folder) =>
  existsSync(inRoot(folder)),
)

/** In the order they are worth running: each has a `name` and a `run()` that prints what is wrong and returns whether nothing is. */
export const checks = [
  { name: 'types (tsc)', run: () => runTool('typescript', 'tsc', ['-p', 'test/tsconfig.json']) },
  {
    name: 'lint (oxlint)',
    run: () => runTool('oxlint', 'oxlint', ['--type-aware', '--deny-warnings', ...FOLDERS]),
  },
  { name: 'format (oxfmt)', run: () => runTool('oxfmt', 'oxfmt', ['--check', ...FOLDERS]) },
]

function runTool(packageName, tool, args) {
  const { bin } = JSON.parse(readFileSync(inRoot('node_modules', packageName, 'package.json'), 'utf8'))
  const program = inRoot('node_modules', packageName, typeof bin === 'string' ? bin : bin[tool])
  const { status } = spawnSync(process.execPath, [program, ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return status === 0
}
