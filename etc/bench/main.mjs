// npm run bench -- lag | load | snapshot | restore: figures of this machine, each beside its alternative in one run.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const BENCHES = ['lag', 'load', 'snapshot', 'restore']

const [name, ...args] = process.argv.slice(2)
if (!BENCHES.includes(name)) {
  console.error(
    `Error: no such benchmark: ${name ?? '(none given)'}\nTry: npm run bench -- ${BENCHES.join(' | ')}`,
  )
  process.exit(2)
}
const build = spawnSync(process.execPath, [fileURLToPath(new URL('../scripts/build.mjs', import.meta.url))], {
  stdio: ['ignore', 'ignore', 'inherit'],
})
if (build.status !== 0) process.exit(build.status ?? 1)
const { run } = await import(`./${name}.mjs`)
await run(args)
