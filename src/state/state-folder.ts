import { existsSync, realpathSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { TXID } from '../../ltx/index.ts'
import { parseLTXFileName } from '../../ltx/index.ts'

/**
 * Folder with everything that we keep beside one database: `<folder>/.<file name>-replicate`.
 * Symbolic links in the database's path are resolved first, so that one database has one state.
 */
export function stateFolderOf(databasePath: string): string {
  const path = existsSync(databasePath) ? realpathSync(databasePath) : databasePath
  return join(dirname(path), `.${basename(path)}-replicate`)
}

/** Folder of the level-0 files inside a state folder. The same shape as in a file replica. */
export function level0FolderOf(stateFolder: string): string {
  return join(stateFolder, 'ltx', '0')
}

/** Highest TXID captured into a state folder, or undefined when nothing was. Reads file names only. */
export async function readLocalPosition(stateFolder: string): Promise<TXID | undefined> {
  let names: string[]
  try {
    names = await readdir(level0FolderOf(stateFolder))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  let highest: TXID | undefined
  for (const name of names) {
    const file = parseLTXFileName(name)
    if (file !== undefined && (highest === undefined || file.maxTXID > highest)) highest = file.maxTXID
  }
  return highest
}

/** Removes the state folder and all in it. Missing is fine. The caller holds the process lock. */
export async function removeLocalState(stateFolder: string): Promise<void> {
  await rm(stateFolder, { recursive: true, force: true })
}
