import { readFileSync } from 'node:fs'
import type {
  FileBody,
  LTXFileID,
  LTXFileInfo,
  LTXFilesOptions,
  OpenLTXFileOptions,
  PutBody,
  ReplicaClient,
  WriteLTXFileOptions,
} from '../../replica/index.ts'

/** A replica in memory that notes what it is asked and fails when a test says so. It holds no other promise. */
export class FakeReplicaClient implements ReplicaClient {
  readonly type = 'fake'
  readonly url = 'fake:replica'
  readonly files: LTXFileInfo[] = []
  readonly bytes = new Map<string, Buffer>()
  /** TXIDs of the files that were asked to be written, in order, failed ones too. */
  readonly writes: bigint[] = []
  listings = 0
  /** Called before a write; what it throws is the answer. */
  beforeWrite: (file: LTXFileID) => void = () => undefined
  /** Called after a write that is done; what it throws is the answer all the same. */
  afterWrite: (file: LTXFileID) => void = () => undefined
  /** Called before the listing of level 0. */
  beforeListing: () => void = () => undefined

  /** Puts a file there without anybody having written it. */
  hold(minTXID: bigint, maxTXID: bigint = minTXID, level = 0, bytes: Buffer = Buffer.alloc(0)): void {
    this.files.push({ level, minTXID, maxTXID, sizeBytes: bytes.length, createdAtMs: 0 })
    this.bytes.set(keyOf({ level, minTXID, maxTXID }), bytes)
  }

  /** Forgets the level-0 file that begins at `minTXID`. */
  lose(minTXID: bigint): void {
    const index = this.files.findIndex((file) => file.level === 0 && file.minTXID === minTXID)
    if (index >= 0) this.files.splice(index, 1)
  }

  async *ltxFiles(level: number, options: LTXFilesOptions = {}): AsyncGenerator<LTXFileInfo> {
    options.signal?.throwIfAborted()
    if (level === 0) {
      this.listings++
      this.beforeListing()
    }
    const found = this.files.filter((file) => file.level === level)
    yield* found.sort((a, b) => Number(a.minTXID - b.minTXID || a.maxTXID - b.maxTXID))
  }

  async openLTXFile(
    file: LTXFileID,
    options: OpenLTXFileOptions = {},
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const bytes = this.bytes.get(keyOf(file))
    if (bytes === undefined) return undefined
    const { offset = 0, lengthBytes = bytes.length } = options
    return chunks(bytes.subarray(offset, offset + lengthBytes))
  }

  async writeLTXFile(file: LTXFileID, body: PutBody, options: WriteLTXFileOptions): Promise<LTXFileInfo> {
    options.signal?.throwIfAborted()
    this.writes.push(file.minTXID)
    this.beforeWrite(file)
    this.hold(file.minTXID, file.maxTXID, file.level, readFileSync((body as FileBody).path))
    this.afterWrite(file)
    return this.files.at(-1)!
  }

  deleteLTXFiles(): Promise<void> {
    return Promise.reject(new Error('nobody deletes here'))
  }

  deleteAll(): Promise<void> {
    return Promise.reject(new Error('nobody deletes here'))
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

function keyOf({ level, minTXID, maxTXID }: LTXFileID): string {
  return `${level}/${minTXID}-${maxTXID}`
}

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}
