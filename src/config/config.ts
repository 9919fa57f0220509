import type { LogLevel, LogType } from '../logger.ts'

/** A configuration file, checked, with its variables expanded and its defaults filled in. */
export interface Config {
  /** The file it was read from. */
  file: string
  dbs: readonly DatabaseConfig[]
  logging: { level?: LogLevel; type?: LogType }
  /** Keys that are right for Litestream and have no effect here, each with its place. For the log. */
  warnings: readonly string[]
}

/** One database of the configuration. */
export interface DatabaseConfig {
  /** Absolute path. */
  path: string
  /** Whether a missing database is restored from its replica before replication starts. */
  restoreIfMissing: boolean
  /** How often the WAL is looked at even if no event said so. Unset: the daemon's own default. */
  monitorIntervalMs?: number
  /** WAL size at which a checkpoint is due. Unset: the daemon's own default. */
  checkpointPages?: number
  /** How long to wait for a lock of the application. Unset: the daemon's own default. */
  busyTimeoutMs?: number
  replica: ReplicaConfig
}

/** Where a database is replicated to. */
export interface ReplicaConfig {
  /** As `openReplica` takes it: a URL, or the absolute path of a folder. */
  url: string
  /** Least time between two uploads. Unset: each change at once. */
  syncIntervalMs?: number
  /** How pages are stored in LTX files; `frame` is for readers older than Litestream 0.5.16. */
  payload?: 'block' | 'frame'
}
