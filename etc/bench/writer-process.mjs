import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The writer of writer.mjs, started on the database at `path`. */
export class Writer {
  #child

  constructor(path) {
    this.#child = fork(fileURLToPath(new URL('writer.mjs', import.meta.url)), [path])
  }

  call(command, ...args) {
    return new Promise((resolve) => {
      this.#child.once('message', resolve)
      this.#child.send({ command, args })
    })
  }

  async stop() {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.send({ command: 'stop', args: [] })
    await ended
  }
}
