import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MAIN, until } from './helpers/cli.ts'
import { TemporaryFolder } from './helpers/temporary-folder.ts'

interface Block {
  name: string
  isBackground: boolean
  text: string
}

const readme = readFileSync(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8')

/** The fenced blocks of a language, in order; every one has a name. */
function blocksOf(language: string): Block[] {
  const fences = new RegExp(`^\`\`\`${language}([^\\n]*)\\n(.*?)^\`\`\`$`, 'gms')
  return [...readme.matchAll(fences)].map(([, info = '', text = '']) => {
    const name = /name=(\S+)/.exec(info)?.[1] ?? ''
    return { name, isBackground: info.includes('background'), text }
  })
}

const folder = new TemporaryFolder()
const background: ChildProcess[] = []

/** The examples run in one folder, as a reader would run them, with the commands they name on the path. */
beforeAll(() => {
  mkdirSync(folder.join('bin'))
  mkdirSync(folder.join('work'))
  putOnPath('replicate', `exec "${process.execPath}" "${MAIN}" "$@"`)
  const shell = fileURLToPath(new URL('helpers/sqlite-shell.mjs', import.meta.url))
  putOnPath('sqlite3', `exec "${process.execPath}" "${shell}" "$@"`)
  for (const { name, text } of blocksOf('yaml')) writeFileSync(folder.join('work', name), text)
})

afterAll(() => {
  for (const child of background) child.kill('SIGKILL')
  folder[Symbol.dispose]()
})

function putOnPath(name: string, script: string): void {
  writeFileSync(folder.join('bin', name), `#!/bin/sh\n${script}\n`)
  chmodSync(folder.join('bin', name), 0o755)
}

function start(script: string): ChildProcess & { output: string } {
  const child = spawn('sh', ['-ec', script], {
    cwd: folder.join('work'),
    env: { ...process.env, PATH: `${folder.join('bin')}:${process.env['PATH'] ?? ''}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const running = Object.assign(child, { output: '' })
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (running.output += chunk.toString()))
  }
  return running
}

async function run(script: string): Promise<string> {
  const child = start(script)
  const [code]: unknown[] = await once(child, 'close')
  expect({ code, output: code === 0 ? '' : child.output }).toEqual({ code: 0, output: '' })
  return child.output
}

function replicaFiles(): string[] {
  const level = folder.join('work/replica/ltx/0')
  return existsSync(level) ? readdirSync(level) : []
}

const EXPECTED: Readonly<Record<string, (output: string) => void>> = {
  status: (output) => expect(output).toMatch(/app\.db +ok +[0-9a-f]{16}.*\nlevel +min_txid/s),
  restore: (output) => expect(output).toMatch(/^restored .*restored\.db: TXID .*\nfirst\nsecond\n$/),
  'restore-txid': (output) => expect(output).toContain('first.db: TXID 0000000000000001'),
  'restore-check': (output) => expect(output).toContain('would restore'),
  'start-script': (output) => expect(output).toContain('fresh.db'),
  config: (output) => expect(output).toMatch(/other\.db +file +file:\/\/\/tmp.*from-config\.db/s),
  reset: (output) => expect(output).toMatch(/^removed: .*\.app\.db-replicate\n$/),
}

test('every example has a name', () => {
  expect(blocksOf('sh').length).toBeGreaterThan(8)
  for (const block of [...blocksOf('sh'), ...blocksOf('yaml')]) expect(block.name, block.text).not.toBe('')
})

test.each(blocksOf('sh'))('example $name does what the text says', async ({ name, isBackground, text }) => {
  if (name === 'once') await stopBackground()
  if (isBackground) {
    background.push(start(`exec ${text}`))
    await until('the first file in the replica', () => replicaFiles().length > 0)
    return
  }
  const before = replicaFiles().length
  const output = await run(text)
  if (name === 'write') await until('one more file in the replica', () => replicaFiles().length > before)
  EXPECTED[name]?.(output)
})

/** The examples after this one want the database for themselves; and a stop is part of what the text says. */
async function stopBackground(): Promise<void> {
  for (const child of background.splice(0)) {
    const ended = once(child, 'close')
    child.kill('SIGINT')
    const [code]: unknown[] = await ended
    expect(code).toBe(0)
  }
}
