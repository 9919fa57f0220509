import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

/**
 * Hears of writes to a database's WAL, at once and cheaply while it is quiet. While it is busy there are tens of
 * thousands of events, so the caller closes the watch then and goes by the clock.
 *
 * Only a hint: events can be missed, or not exist on a file system. The caller polls too.
 */
export class WALWatch {
  readonly #folder: string
  readonly #names: ReadonlySet<string>
  readonly #onChange: () => void
  #watcher: FSWatcher | undefined

  /** `onChange` is called after a write to the WAL, and when the database or its WAL appears or goes. */
  constructor(databasePath: string, onChange: () => void) {
    this.#folder = dirname(databasePath)
    const name = basename(databasePath)
    this.#names = new Set([name, `${name}-wal`])
    this.#onChange = onChange
  }

  get isOpen(): boolean {
    return this.#watcher !== undefined
  }

  /** Starts to listen. False where the system has no watches to give: the poll alone has to do then. */
  open(): boolean {
    if (this.#watcher !== undefined) return true
    try {
      const watcher = watch(this.#folder, { persistent: false }, (_event, name) => {
        if (name === null || this.#names.has(name)) this.#onChange()
      })
      watcher.on('error', () => this.close())
      this.#watcher = watcher
      return true
    } catch {
      // Out of watches: the poll finds every change, only later.
      return false
    }
  }

  close(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }
}
