/**
 * Keys of a replica that inherit from the top level and belong to stores which a file replica does not use. They are
 * accepted, because a configuration that serves several types of replica names them once for all.
 */
const STORE_KEYS = [
  'access-key-id',
  'secret-access-key',
  'region',
  'bucket',
  'endpoint',
  'force-path-style',
  'sign-payload',
  'require-content-md5',
  'skip-verify',
  'storage-class',
  'part-size',
  'concurrency',
  'sse-customer-algorithm',
  'sse-customer-key',
  'sse-customer-key-path',
  'sse-kms-key-id',
  'account-name',
  'account-key',
  'sas-token',
  'host',
  'user',
  'password',
  'key-path',
  'concurrent-writes',
  'host-key',
  'webdav-url',
  'webdav-username',
  'webdav-password',
  'jwt',
  'seed',
  'creds',
  'nkey',
  'username',
  'token',
  'tls',
  'root-cas',
  'client-cert',
  'client-key',
  'max-reconnects',
  'reconnect-wait',
  'timeout',
] as const

/** Keys of Litestream's replicas without effect here; using one is a warning. */
export const IGNORED_REPLICA_KEYS: readonly string[] = [
  ...STORE_KEYS,
  'name',
  'validation-interval',
  'max-sync-ltx-files',
  'auto-recover',
]

/** Keys of Litestream's databases without effect here; using one is a warning. */
export const IGNORED_DATABASE_KEYS: readonly string[] = [
  'snapshot',
  'meta-path',
  'checkpoint-interval',
  'truncate-page-n',
  'max-sync-wal-bytes',
]

/** Keys of Litestream's top level without effect here; using one is a warning. */
export const IGNORED_TOP_KEYS: readonly string[] = [
  ...IGNORED_REPLICA_KEYS.filter((key) => key !== 'name'),
  'addr',
  'socket',
  'levels',
  'snapshot',
  'validation',
  'l0-retention',
  'l0-retention-check-interval',
  'verify-compaction',
  'retention',
  'heartbeat-url',
  'heartbeat-interval',
  'mcp-addr',
  'shutdown-sync-timeout',
  'shutdown-sync-interval',
]

/** Keys of Litestream that would change what is replicated or run, so that ignoring them would mislead. */
export const REFUSED_KEYS: Readonly<Record<string, string>> = {
  exec: 'start the application yourself, beside the replicator',
  dir: 'name each database with path',
  pattern: 'name each database with path',
  recursive: 'name each database with path',
  watch: 'name each database with path',
  'meta-dir': 'name each database with path',
  age: 'replicas are not encrypted in this version: use an encrypted disk, or leave age out',
}

/** Replica types that Litestream knows and this version does not have. */
export const MISSING_REPLICA_TYPES: readonly string[] = [
  's3',
  'gs',
  'abs',
  'sftp',
  'nats',
  'oss',
  'webdav',
  'webdavs',
]
