// What a fresh checkout needs before anything of it runs. Plain Node without dependencies.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { buildIfStale } from './build-tree.mjs'
import { inRoot, root } from './root.mjs'

const OLDEST_NODE = [20, 19]

/** Installs the dependencies if they are missing or not those of the lock file, and builds dist/ if it is stale. */
export function setUp() {
  checkNode()
  if (!areDependenciesInstalled()) install()
  buildIfStale()
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [oldestMajor, oldestMinor] = OLDEST_NODE
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return
  fail(`Node.js is too old: ${process.versions.node}`, `Node.js ${OLDEST_NODE.join('.')} or newer`)
}

// Compared by version and not by time: a checkout gives every file the time of the checkout.
function areDependenciesInstalled() {
  const installed = readLock('node_modules/.package-lock.json')
  const wanted = readLock('package-lock.json')
  if (installed === undefined || wanted === undefined) return false
  const complete = Object.entries(wanted.packages).every(([path, { version, optional, devOptional }]) => {
    if (path === '') return true
    const found = installed.packages[path]
    return found === undefined ? optional || devOptional : found.version === version
  })
  return complete && isNativeModuleBuilt()
}

function readLock(path) {
  return existsSync(inRoot(path)) ? JSON.parse(readFileSync(inRoot(path), 'utf8')) : undefined
}

// An interrupted build, or one for another version of Node.js, leaves everything but this.
function isNativeModuleBuilt() {
  const program = "new (require('better-sqlite3'))(':memory:').close()"
  return spawnSync(process.execPath, ['-e', program], { cwd: root }).status === 0
}

function install() {
  console.error(
    'installing dependencies (npm ci); building SQLite takes some minutes where no prebuilt one fits',
  )
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (status !== 0) fail('dependencies could not be installed', 'the messages of npm above')
}

/** Ends the process with one line that says what failed and one that says what to do. */
export function fail(message, hint) {
  console.error(`Error: ${message}\nTry: ${hint}`)
  process.exit(1)
}
