import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that is gone at the end of its scope. */
export class TemporaryFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'replicate-test-'))

  join(...names: string[]): string {
    return join(this.path, ...names)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
