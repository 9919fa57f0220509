import type { ApplicationOptions } from './application.ts'

/** A workload that is the same for the same seed: what an application may do to a database, in no sensible order. */
export interface RandomWorkload {
  readonly options: ApplicationOptions
  readonly schema: string
  /** Statements of the next transaction, or of something that has none. */
  transaction(): string[]
  pick<T>(choices: readonly T[]): T
  chance(probability: number): boolean
}

/** The workload of one seed. */
export function randomStatements(seed: number): RandomWorkload {
  const next = mulberry32(seed)
  const integer = (below: number): number => Math.floor(next() * below)
  const pick = <T>(choices: readonly T[]): T => choices[integer(choices.length)]!
  const table = (): string => `t${integer(4)}`
  let columns = 0
  const statement = (): string =>
    pick([
      () => `INSERT INTO ${table()}(v) VALUES (randomblob(${integer(6000)}))`,
      () =>
        `INSERT INTO ${table()}(v) SELECT randomblob(${integer(900)}) FROM ${table()} LIMIT ${integer(200)}`,
      () => `UPDATE ${table()} SET v = randomblob(${integer(2000)}) WHERE id % ${2 + integer(20)} = 0`,
      () => `DELETE FROM ${table()} WHERE id % ${2 + integer(5)} = 1`,
      () => `DELETE FROM ${table()} WHERE id > ${integer(300)}`,
      () => `CREATE TABLE IF NOT EXISTS ${table()}(id INTEGER PRIMARY KEY, v BLOB)`,
      () => `CREATE INDEX IF NOT EXISTS i${integer(4)} ON ${table()}(v)`,
      () => `DROP INDEX IF EXISTS i${integer(4)}`,
      () => `ALTER TABLE ${table()} ADD COLUMN c${columns++}`,
    ])()
  const body = (): string[] => Array.from({ length: 1 + integer(5) }, statement)
  return {
    options: {
      pageSize: pick([512, 1024, 4096]),
      autoVacuum: pick(['none', 'full', 'incremental']),
      walAutocheckpoint: pick([0, 10, 1000]),
      cachePages: pick([10, 2000]),
    },
    schema: [0, 1, 2, 3].map((n) => `CREATE TABLE t${n}(id INTEGER PRIMARY KEY, v BLOB);`).join(' '),
    pick,
    chance: (probability) => next() < probability,
    transaction: () =>
      pick([
        () => ['BEGIN', ...body(), 'COMMIT'],
        () => ['BEGIN', ...body(), 'COMMIT'],
        () => ['BEGIN', ...body(), 'ROLLBACK'],
        () => ['BEGIN', ...body(), 'SAVEPOINT s', ...body(), 'ROLLBACK TO s', ...body(), 'COMMIT'],
        () => body(),
        () => ['VACUUM'],
        () => [`PRAGMA incremental_vacuum(${integer(50)})`],
        () => [
          // Beside a replicator a blocking checkpoint waits for as long as it may, in vain.
          'PRAGMA busy_timeout = 20',
          `PRAGMA wal_checkpoint(${pick(['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE'])})`,
          'PRAGMA busy_timeout = 10000',
        ],
      ])(),
  }
}

/** Small generator of good enough numbers in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
