import { cp, mkdtemp, readdir, readFile, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { decodeHeader } from '../../ltx/index.ts'

/** A copy of a fixture replica in a temporary folder. */
export interface FixtureReplica {
  /** Root of the file replica. */
  folder: string
  /** Its `file://` URL. */
  url: string
  remove(): Promise<void>
}

/**
 * Copies `test/fixtures/<name>` to a temporary folder and gives each LTX file the time in its header, which a file
 * replica keeps in the file's modification time and git does not.
 */
export async function copyFixtureReplica(name: string): Promise<FixtureReplica> {
  const folder = await mkdtemp(join(tmpdir(), `${name}-`))
  await cp(fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url)), folder, { recursive: true })
  await setLTXFileTimes(folder)
  return {
    folder,
    url: pathToFileURL(folder).href,
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Sets the modification time of every `.ltx` file below `folder` from its header. */
export async function setLTXFileTimes(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.ltx')) continue
    const path = join(folder, name)
    const { timestampMs } = decodeHeader((await readFile(path)).subarray(0, 100))
    await utimes(path, timestampMs / 1000, timestampMs / 1000)
  }
}

/** What a fixture's `<name>.expected.json` says: for each target its plan and the restored database. */
export async function readExpected(name: string): Promise<ExpectedReplica> {
  const path = fileURLToPath(new URL(`../fixtures/${name}.expected.json`, import.meta.url))
  return JSON.parse(await readFile(path, 'utf8')) as ExpectedReplica
}

/** Keys of `restores` are TXIDs in hex, or `latest`, or other targets that the fixture explains. */
export interface ExpectedReplica {
  restores: Record<string, { size: number; sha256: string; plan: string[] }>
}
