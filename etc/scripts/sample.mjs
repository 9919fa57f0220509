// The sample job: a database that another process writes to is replicated live, restored, and compared.
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { inRoot } from './root.mjs'

const TRANSACTIONS = 200
const PAUSE_MS = 20
const DEADLINE_MS = 20_000
const MAIN = inRoot('dist', 'src', 'main.js')

/** Runs the job, says what it does, and sets the exit code of the process: 0 if every page is the same. */
export async function runSample() {
  const folder = mkdtempSync(join(tmpdir(), 'sqlite-replicate-sample-'))
  const files = {
    database: join(folder, 'shop.db'),
    replica: join(folder, 'replica'),
    restored: join(folder, 'restored.db'),
  }
  const url = `file://${files.replica}`
  const startedAtMs = performance.now()

  say(`1. an application writes to ${files.database}: ${TRANSACTIONS} transactions, ${PAUSE_MS} ms apart`)
  const writer = fork(inRoot('etc', 'scripts', 'sample-writer.mjs'), [files.database, TRANSACTIONS, PAUSE_MS])
  await once(writer, 'message')

  say(`2. replicate replicate shop.db ${url}`)
  const replicator = startCommand(['replicate', files.database, url])
  const [writerCode] = await once(writer, 'exit')
  if (writerCode !== 0) throw new Error('the application failed')
  await waitForUploads(files, replicator)
  replicator.child.kill('SIGTERM')
  await expectSuccess(replicator)
  say(`   ${countFiles(files.replica)} LTX files, ${sizeOfTree(files.replica)} bytes in the replica`)

  say(`3. replicate restore -o restored.db ${url}`)
  const restore = startCommand(['restore', '-o', files.restored, url])
  await expectSuccess(restore)
  say(`   ${restore.output.stdout.trim()}`)

  const { pages, rows, differing } = compare(files.database, files.restored)
  say(`4. ${pages} pages and ${rows} rows compared: ${differing.length} pages differ`)
  say(`   all files are in ${folder}`)
  if (differing.length > 0) throw new Error(`pages differ: ${differing.slice(0, 20).join(', ')}`)
  say(`done in ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`)
}

function say(line) {
  process.stdout.write(`${line}\n`)
}

function startCommand(args) {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr']) child[stream].on('data', (chunk) => (output[stream] += chunk))
  return { child, output, exit: once(child, 'close'), name: args[0] }
}

async function expectSuccess({ exit, output, name }) {
  const [code] = await exit
  if (code !== 0) throw new Error(`replicate ${name} failed: exit code ${code}\n${output.stderr}`)
}

// The last transaction is in the replica when the local copy of its file is.
async function waitForUploads(files, replicator) {
  const local = join(folderOfState(files.database), 'ltx', '0')
  const deadline = performance.now() + DEADLINE_MS
  while (performance.now() < deadline) {
    if (replicator.child.exitCode !== null) return
    const newest = newestFile(local)
    if (newest !== undefined && newest === newestFile(join(files.replica, 'ltx', '0'))) return
    await sleep(20)
  }
  throw new Error(`the replica did not catch up in ${DEADLINE_MS} ms\n${replicator.output.stderr}`)
}

function folderOfState(database) {
  const parts = database.split(/[/\\]/)
  const name = parts.pop()
  return join(...(database.startsWith('/') ? ['/', ...parts] : parts), `.${name}-replicate`)
}

function newestFile(folder) {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.ltx'))
      .sort()
      .at(-1)
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function compare(source, restored) {
  const database = new Database(source)
  database.pragma('wal_checkpoint(TRUNCATE)')
  const pageSize = database.pragma('page_size', { simple: true })
  const rows = Number(database.prepare('SELECT count(*) FROM orders').pluck().get())
  database.close()
  const [a, b] = [readFileSync(source), readFileSync(restored)]
  const pages = Math.max(a.length, b.length) / pageSize
  const differing = []
  for (let page = 0; page < pages; page++) {
    const [from, to] = [page * pageSize, (page + 1) * pageSize]
    if (!a.subarray(from, to).equals(b.subarray(from, to))) differing.push(page + 1)
  }
  return { pages, rows, differing }
}

function listTree(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
}

function countFiles(folder) {
  return listTree(folder).filter((entry) => entry.name.endsWith('.ltx')).length
}

function sizeOfTree(folder) {
  return listTree(folder).reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}
