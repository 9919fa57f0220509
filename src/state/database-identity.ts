import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

// Which file the local chain describes. A WAL says nothing about that: it stays when the database beside it is replaced.
const NAME = 'database.json'

/** The inode that the chain in a state folder describes, or undefined when none is recorded or it cannot be read. */
export function readDatabaseInode(stateFolder: string): string | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(join(stateFolder, NAME), 'utf8'))
    return typeof found === 'object' && found !== null && 'ino' in found ? String(found.ino) : undefined
  } catch {
    return undefined
  }
}

/** Records that the chain describes the file with this inode from here on. At once or not at all; synchronous. */
export function writeDatabaseInode(stateFolder: string, ino: string): void {
  const path = join(stateFolder, NAME)
  writeFileSync(`${path}.tmp`, JSON.stringify({ ino }), { mode: 0o600 })
  renameSync(`${path}.tmp`, path)
}
