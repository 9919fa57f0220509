import type { DatabaseConfig } from '../config/config.ts'

/** A database to replicate, from the configuration or from the command line. */
export type Target = DatabaseConfig
