import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { TemporaryFolder } from '../helpers/temporary-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const linter: { bin: { oxlint: string } } = JSON.parse(
  readFileSync(join(root, 'node_modules/oxlint/package.json'), 'utf8'),
)

/** Lints one file that imports `specifier`, in an empty tree with this repository's rules. */
function lint(file: string, specifier: string): { status: number | null; output: string } {
  using folder = new TemporaryFolder()
  copyFileSync(join(root, '.oxlintrc.json'), folder.join('.oxlintrc.json'))
  mkdirSync(dirname(folder.join(file)), { recursive: true })
  writeFileSync(
    folder.join(file),
    `import { thing } from '${specifier}'\n\nexport const other: unknown = thing\n`,
  )
  const program = join(root, 'node_modules/oxlint', linter.bin.oxlint)
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, file.split('/')[0]!], {
    cwd: folder.path,
    encoding: 'utf8',
  })
  return { status, output: stdout + stderr }
}

test.each([
  ['ltx/planted.ts', '../src/clock.ts', 'ltx/ imports nothing of ours'],
  ['ltx/planted.ts', '../replica/index.ts', 'ltx/ imports nothing of ours'],
  ['replica/objects/planted.ts', '../../ltx/index.ts', 'replica/objects/ imports nothing of ours'],
  ['replica/objects/planted.ts', '../errors.ts', 'replica/objects/ imports nothing of ours'],
  ['replica/planted.ts', '../src/clock.ts', 'replica/ imports ltx/ and replica/objects/ only'],
  ['replica/planted.ts', '../lease/index.ts', 'replica/ imports ltx/ and replica/objects/ only'],
  ['lease/planted.ts', '../ltx/index.ts', 'lease/ imports replica/objects/ only'],
  ['lease/planted.ts', '../replica/index.ts', 'lease/ imports replica/objects/ only'],
  ['src/planted.ts', '../test/helpers/cli.ts', 'nothing imports test/'],
])('%s may not import %s', (file, specifier, reason) => {
  const { status, output } = lint(file, specifier)
  expect(output).toContain(reason)
  expect(status).toBe(1)
})

test.each([
  ['replica/planted.ts', '../ltx/index.ts'],
  ['replica/planted.ts', './objects/object-store.ts'],
  ['lease/planted.ts', '../replica/objects/object-store.ts'],
  ['src/planted.ts', '../replica/index.ts'],
])('%s may import %s', (file, specifier) => {
  expect(lint(file, specifier)).toMatchObject({ status: 0 })
})
