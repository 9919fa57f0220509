import { readdir, readlink } from 'node:fs/promises'

/**
 * Numbers of the processes, this one included, that have a file open, as far as the system lets us see: on Linux all
 * processes of this user, or all of them for root; elsewhere none. `path` is absolute and without symbolic links.
 */
export async function processesWithOpen(path: string): Promise<number[]> {
  const found: number[] = []
  for (const name of await namesIn('/proc')) {
    if (/^\d+$/.test(name) && (await hasOpen(name, path))) found.push(Number(name))
  }
  return found
}

async function hasOpen(pid: string, path: string): Promise<boolean> {
  const folder = `/proc/${pid}/fd`
  for (const name of await namesIn(folder)) {
    try {
      if ((await readlink(`${folder}/${name}`)) === path) return true
    } catch {
      // Closed since it was listed.
    }
  }
  return false
}

/** What a folder of the process table holds; nothing where there is no such table or it is not ours to see. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch {
    return []
  }
}
