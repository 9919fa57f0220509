import type { Header, LTXBytes, TXID } from '../../ltx/index.ts'
import type { LTXFileInfo } from '../../replica/index.ts'
import { applyFile, type DatabaseShape } from './apply-file.ts'
import { DatabaseImage } from './database-image.ts'
import { RestoreError } from './errors.ts'
import { PageOverlay } from './page-overlay.ts'
import type { PageSink } from './page-sink.ts'
import type { RestorePlan } from './plan.ts'
import { Prefetcher, SMALL_FILE_BYTES } from './prefetch.ts'
import { FileGone, readLTXFile, type ReadContext } from './read-file.ts'
import type { TempFile } from './temp-file.ts'

const MAX_PLANS_WITHOUT_PROGRESS = 5

/** How far a restore is. Sizes in bytes as they are in the replica; the totals change where it has to plan again. */
export interface RestoreProgress {
  bytesRead: number
  bytesTotal: number
  filesApplied: number
  filesTotal: number
  /** The state reached: that of the last file applied, 0n before the first. */
  txid: TXID
}

/** What applying a plan needs besides the plan. */
export interface ApplyContext extends ReadContext {
  /** The empty file to build in. It stays the caller's. */
  file: TempFile
  parallelism: number
  /** Makes a plan that continues from a state, after a planned file was deleted. */
  planAgain: (from: TXID) => Promise<RestorePlan>
  /** Called with the bytes by which the file is about to grow. */
  requireSpace: (sizeBytes: number) => Promise<void>
  onProgress?: (progress: RestoreProgress) => void
}

/** What applying a plan came to. */
export interface AppliedPlan {
  /** The files that were applied, in order. */
  files: LTXFileInfo[]
  txid: TXID
  pageSize: number
  sizeBytes: number
  /** Time of the state, from the header of the last file, in ms since the epoch. */
  timestampMs: number
}

/**
 * Applies the files of a plan in order, later pages over earlier ones, and makes the result durable.
 *
 * A file that is gone by then is no failure: what was applied is the whole state of its TXID, so a new plan continues
 * from there. If the file vanished half way, the pages that it has written already are written again: any chain to
 * the same TXID holds each of them, or drops them with a smaller size. Only the last commit decides the length,
 * because a file that grows the database holds every page by which it grows.
 */
export async function applyPlan(plan: RestorePlan, context: ApplyContext): Promise<AppliedPlan> {
  const application = new PlanApplication(plan, context)
  try {
    return await application.run()
  } finally {
    await application.close()
  }
}

class PlanApplication {
  readonly #context: ApplyContext
  readonly #applied: LTXFileInfo[] = []
  #plan: RestorePlan
  #shape: DatabaseShape = { commit: 0, pageSize: undefined }
  #image: DatabaseImage | undefined
  #overlay: PageOverlay | undefined
  #last: Header | undefined
  #appliedBytes = 0
  #bytesRead = 0
  #largestBytes = 0
  #bytesTotal = 0
  #filesTotal = 0

  constructor(plan: RestorePlan, context: ApplyContext) {
    this.#plan = plan
    this.#context = context
    this.#planned(plan)
  }

  get #txid(): TXID {
    return this.#last?.maxTXID ?? 0n
  }

  async run(): Promise<AppliedPlan> {
    const first = this.#plan
    for (let plansWithoutProgress = 0; ; plansWithoutProgress++) {
      const before = this.#txid
      try {
        await this.#applyFiles()
        break
      } catch (error) {
        if (!(error instanceof FileGone)) throw error
        if (this.#txid > before) plansWithoutProgress = 0
        if (plansWithoutProgress === MAX_PLANS_WITHOUT_PROGRESS) throw vanishing(error)
        await this.#planAgain(first.maxTXID)
      }
    }
    return this.#finish()
  }

  async close(): Promise<void> {
    await this.#image?.settle()
  }

  async #applyFiles(): Promise<void> {
    const fetcher = new Prefetcher(
      this.#plan.files,
      (file, signal) => this.#read(file, signal),
      this.#context.parallelism,
    )
    try {
      for (let next = await fetcher.next(); next !== undefined; next = await fetcher.next()) {
        this.#context.signal?.throwIfAborted()
        await this.#apply(next.file, next.bytes)
      }
    } finally {
      fetcher.close()
    }
  }

  async #apply(file: LTXFileInfo, bytes: LTXBytes): Promise<void> {
    const header = await applyFile(file, bytes, this.#shape, (header) => this.#sinkFor(file, header))
    this.#shape = { commit: header.commit, pageSize: header.pageSize }
    this.#last = header
    this.#applied.push(file)
    this.#appliedBytes += file.sizeBytes
    this.#bytesRead = Math.max(this.#bytesRead, this.#appliedBytes)
    this.#report()
  }

  async #sinkFor(file: LTXFileInfo, header: Header): Promise<PageSink> {
    const isBase = this.#applied.length === 0
    if (isBase && header.minTXID !== 1n) {
      throw new RestoreError(
        'RESTORE_GAP',
        'the first file to restore does not start at the first transaction',
      )
    }
    await this.#requireGrowth(header.commit * header.pageSize)
    this.#image ??= new DatabaseImage(this.#context.file, header.pageSize)
    this.#overlay ??= new PageOverlay(this.#image)
    if (!isBase && file.sizeBytes <= SMALL_FILE_BYTES) return this.#overlay
    // What the overlay holds is older than this file.
    await this.#overlay.flush()
    return this.#image
  }

  async #requireGrowth(sizeBytes: number): Promise<void> {
    // What the file has already is no longer free.
    const growthBytes = sizeBytes - this.#largestBytes
    if (growthBytes <= 0) return
    await this.#context.requireSpace(growthBytes)
    this.#largestBytes = sizeBytes
  }

  async #planAgain(leastTXID: TXID): Promise<void> {
    const plan = await this.#context.planAgain(this.#txid)
    if (plan.maxTXID < leastTXID) {
      throw new RestoreError(
        'RESTORE_GAP',
        'files of the newest state were deleted while it was being restored',
      )
    }
    this.#plan = plan
    this.#bytesRead = this.#appliedBytes
    this.#planned(plan)
  }

  async #finish(): Promise<AppliedPlan> {
    if (this.#last === undefined) throw new RestoreError('RESTORE_NO_BACKUPS', 'the plan holds no files')
    const { commit, pageSize, timestampMs } = this.#last
    await this.#overlay!.flush()
    const sizeBytes = commit * pageSize
    await this.#image!.finish(sizeBytes)
    return { files: this.#applied, txid: this.#txid, pageSize, sizeBytes, timestampMs }
  }

  async *#read(file: LTXFileInfo, fetchSignal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    const { client, clock, signal } = this.#context
    const either = signal === undefined ? fetchSignal : AbortSignal.any([signal, fetchSignal])
    for await (const chunk of readLTXFile(file, { client, clock, signal: either })) {
      this.#bytesRead += chunk.length
      this.#report()
      yield chunk
    }
  }

  #planned(plan: RestorePlan): void {
    this.#bytesTotal = this.#appliedBytes + plan.sizeBytes
    this.#filesTotal = this.#applied.length + plan.files.length
  }

  #report(): void {
    const { onProgress } = this.#context
    if (onProgress === undefined) return
    onProgress({
      bytesRead: this.#bytesRead,
      bytesTotal: Math.max(this.#bytesRead, this.#bytesTotal),
      filesApplied: this.#applied.length,
      filesTotal: this.#filesTotal,
      txid: this.#txid,
    })
  }
}

function vanishing(gone: FileGone): RestoreError {
  return new RestoreError(
    'RESTORE_FILES_VANISH',
    `files vanish while they are restored, plan after plan: ${gone.message}`,
    {
      cause: gone,
      hint: 'retention deletes faster than this restore reads; try again, or pause retention',
    },
  )
}
