/** Where the files of a replica stand in its store, and where their times are kept. Plain data. */
export interface Layout {
  readonly name: string
  /** What the keys of each level begin with, by level from 0 to 9; the file's name follows. */
  readonly levelPrefixes: readonly string[]
  /** A file's time is that of the object itself, or stands in its metadata (`metadataOfTime`). */
  readonly time: 'modified' | 'metadata'
}

const LEVELS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const

/** Files on disk: `ltx/<level in decimal>/<name>`, the time as modification time (Litestream 0.5, file replica). */
export const fileLayout: Layout = {
  name: 'file',
  levelPrefixes: LEVELS.map((level) => `ltx/${level}/`),
  time: 'modified',
}

/** Objects in a bucket: `<level as 4 hex digits>/<name>`, the time in the metadata (Litestream 0.5, S3 replica). */
export const s3Layout: Layout = {
  name: 's3',
  levelPrefixes: LEVELS.map((level) => `${level.toString(16).padStart(4, '0')}/`),
  time: 'metadata',
}
