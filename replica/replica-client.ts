import type { TXID } from '../ltx/index.ts'
import type { PutBody } from './objects/object-store.ts'

/** The level of full snapshots. */
export const SNAPSHOT_LEVEL = 9

/** The highest level there is. */
export const MAX_LEVEL = 9

/** Names one LTX file of a replica. */
export interface LTXFileID {
  /** 0 as captured, 1 to 8 compacted, 9 snapshots. */
  readonly level: number
  readonly minTXID: TXID
  readonly maxTXID: TXID
}

/** What a replica knows about one of its files without reading it. */
export interface LTXFileInfo extends LTXFileID {
  readonly sizeBytes: number
  /** The time of the newest transaction in it, ms since the Unix epoch. */
  readonly createdAtMs: number
}

/** Options of every call. An abort rejects with the signal's reason itself, never wrapped. */
export interface ReplicaCallOptions {
  signal?: AbortSignal | undefined
}

export interface LTXFilesOptions extends ReplicaCallOptions {
  /** Only files with `minTXID >= seek`. */
  seek?: TXID | undefined
  /**
   * Where a listing tells only when a file was stored, ask for each file's own time. On S3 that is a request per file;
   * elsewhere it changes nothing.
   */
  accurateTime?: boolean | undefined
}

export interface OpenLTXFileOptions extends ReplicaCallOptions {
  /** First byte, from 0; at or beyond the end there are no bytes. */
  offset?: number | undefined
  /** At most so many bytes; to the end when absent. */
  lengthBytes?: number | undefined
}

export interface WriteLTXFileOptions extends ReplicaCallOptions {
  /** The timestamp of the file's header, ms since the Unix epoch: kept with the file as its time. */
  timestampMs: number
}

/**
 * The LTX files of one database at one place. Failures of the store come as `ObjectStoreError`; a file that is not
 * there is `undefined`. Names are not checked against headers, nor the bytes of files against their checksums: whoever
 * reads does that.
 */
export interface ReplicaClient extends AsyncDisposable {
  /** The kind of store: `file`, `memory`, `s3`. */
  readonly type: string
  /** For messages: no secrets in it. */
  readonly url: string

  /**
   * The files of a level, ascending by `minTXID`, then `maxTXID`. A level that is not there is empty; what has not the
   * name of an LTX file is left out.
   */
  ltxFiles(level: number, options?: LTXFilesOptions): AsyncIterable<LTXFileInfo>

  /**
   * The bytes of a file, read once; undefined when it is not there. Each chunk belongs to the receiver. Iterate it, or
   * call `return()` on its iterator: it may hold a descriptor or a connection.
   */
  openLTXFile(file: LTXFileID, options?: OpenLTXFileOptions): Promise<AsyncIterable<Uint8Array> | undefined>

  /**
   * Writes a file, never over another: durable when it resolves. The same file already there is success, told by size,
   * header and trailer, whose checksum covers the rest. Any other is `REPLICA_FILE_CONFLICT`.
   */
  writeLTXFile(file: LTXFileID, body: PutBody, options: WriteLTXFileOptions): Promise<LTXFileInfo>

  /** Deletes files; one that is not there is fine. After a failure some may be gone and some not. */
  deleteLTXFiles(files: readonly LTXFileID[], options?: ReplicaCallOptions): Promise<void>

  /**
   * Deletes every LTX file of every level, and nothing else: a lease document and whatever others put there stay. Cut
   * short it leaves a replica that restores its newest state or none, never an older one.
   */
  deleteAll(options?: ReplicaCallOptions): Promise<void>

  /** Lets go of the store. Idempotent. */
  close(): Promise<void>
}
