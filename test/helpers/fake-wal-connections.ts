import type { WALConnections, WALState } from '../../src/sqlite/wal-connections.ts'

/** Stands in for SQLite where a cursor asks it what is committed, so that a WAL can be what SQLite makes it seldom. */
export class FakeWALConnections {
  readonly pageSize: number
  state: WALState | undefined
  movedPins = 0

  constructor(pageSize: number, logFrames: number, backfilledFrames = 0) {
    this.pageSize = pageSize
    this.state = { logFrames, backfilledFrames }
  }

  walState(): WALState | undefined {
    return this.state
  }

  movePin(): void {
    this.movedPins++
  }

  /** As what a cursor takes; it calls nothing but what is here. */
  get asConnections(): WALConnections {
    return this as unknown as WALConnections
  }
}
