// Builds dist/ with tsc, beside the old one and then in its place, so that nobody ever sees half of it.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import process from 'node:process'
import { inRoot, root } from './root.mjs'

const SOURCES = ['src', 'ltx', 'replica', 'lease', 'tsconfig.json', 'package.json']
const STAMP = 'dist/.sources'

/** Builds if any source changed since the last build. Returns whether the types are right; `isStrict` ends the process if not. */
export function buildIfStale({ isStrict = true } = {}) {
  return isFresh() ? true : build({ isStrict })
}

/** Builds dist/. Returns whether the types are right; with `isStrict` a fault in them ends the process. */
export function build({ isStrict = true } = {}) {
  const stamp = stampOfSources()
  const next = inRoot('node_modules', `.build-${process.pid}`)
  rmSync(next, { recursive: true, force: true })
  mkdirSync(next, { recursive: true })
  const { status } = spawnSync(process.execPath, [findCompiler(), '--outDir', next], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  const main = join(next, 'src', 'main.js')
  if (!existsSync(main) || (status !== 0 && isStrict)) {
    rmSync(next, { recursive: true, force: true })
    console.error('Error: build failed: tsc')
    process.exit(1)
  }
  chmodSync(main, 0o755)
  writeFileSync(join(next, '.sources'), status === 0 ? stamp : '')
  swap(next, inRoot('dist'))
  return status === 0
}

function findCompiler() {
  const require = createRequire(inRoot('package.json'))
  const { bin } = require('typescript/package.json')
  return inRoot('node_modules', 'typescript', bin.tsc)
}

function isFresh() {
  return existsSync(inRoot(STAMP)) && readFileSync(inRoot(STAMP), 'utf8') === stampOfSources()
}

// Another build may be doing the same; whoever moves the old folder away goes first.
function swap(next, dist) {
  const old = inRoot('node_modules', `.build-old-${process.pid}`)
  for (let attempt = 0; ; attempt++) {
    try {
      if (existsSync(dist)) renameSync(dist, old)
      renameSync(next, dist)
      break
    } catch (error) {
      if (attempt === 20) throw error
    }
    rmSync(old, { recursive: true, force: true })
  }
  rmSync(old, { recursive: true, force: true })
}

function stampOfSources() {
  const hash = createHash('sha256')
  for (const path of SOURCES.flatMap((source) => filesUnder(inRoot(source)))) {
    hash.update(`${relative(root, path)}\0`).update(readFileSync(path))
  }
  return hash.digest('hex')
}

function filesUnder(path) {
  if (!existsSync(path)) return []
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesUnder(join(path, name)))
}
