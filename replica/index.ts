/** Replicas: the LTX files of a database in a folder, in memory, or wherever else an object store reaches. */
export { ReplicaError, type ReplicaErrorCode, type ReplicaErrorOptions } from './errors.ts'
export { openFileReplica, type FileReplicaOptions } from './file-replica.ts'
export { fileLayout, s3Layout, type Layout } from './layout.ts'
export { openMemoryReplica } from './memory-replica.ts'
export { ObjectReplicaClient, type ObjectReplicaClientOptions } from './object-replica-client.ts'
export {
  ObjectStoreError,
  type ObjectStoreErrorCode,
  type ObjectStoreErrorOptions,
} from './objects/errors.ts'
export { FileObjectStore, type FileObjectStoreOptions } from './objects/file-store.ts'
export {
  MemoryObjectStore,
  type MemoryObject,
  type MemoryObjects,
  type MemoryObjectStoreOptions,
} from './objects/memory-store.ts'
export type {
  ByteRange,
  CallOptions,
  ETag,
  FileBody,
  GetOptions,
  ListOptions,
  ObjectBody,
  ObjectInfo,
  ObjectListing,
  ObjectStore,
  PutBody,
  PutOptions,
} from './objects/object-store.ts'
export {
  MAX_LEVEL,
  SNAPSHOT_LEVEL,
  type LTXFileID,
  type LTXFileInfo,
  type LTXFilesOptions,
  type OpenLTXFileOptions,
  type ReplicaCallOptions,
  type ReplicaClient,
  type WriteLTXFileOptions,
} from './replica-client.ts'
export { openReplica, type OpenReplicaOptions } from './replica-url.ts'
