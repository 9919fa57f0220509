import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export interface ManyPages {
  pages: number
  decodedPages: number
  sizeBytes: number
  sinkBytes: number
  indexMemoryBytes: number
  maxRSSBytes: number
  seconds: number
}

/** Encodes a snapshot of so many pages in a process of its own, with a heap of 512 MB. */
export async function encodeManyPages(pages: number, mode: 'plain' | 'noise' | 'decode'): Promise<ManyPages> {
  const script = fileURLToPath(new URL('encode-many-pages.mjs', import.meta.url))
  const args = ['--max-old-space-size=512', script, String(pages), mode]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as ManyPages
}
