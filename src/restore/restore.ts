import { decodeHeader, type Header, type TXID } from '../../ltx/index.ts'
import type { LTXFileInfo, ReplicaClient } from '../../replica/index.ts'
import { systemClock, type Clock } from '../clock.ts'
import { applyPlan, type AppliedPlan, type RestoreProgress } from './apply-plan.ts'
import type { LevelLister } from './chain.ts'
import { RestoreError } from './errors.ts'
import { checkIntegrity, type IntegrityCheck } from './integrity-check.ts'
import { clearOutput, requireUnused } from './output-guard.ts'
import { inspectOutput, type Output } from './output-path.ts'
import { planRestore, type RestorePlan, type RestoreTarget } from './plan.ts'
import { createFolders, outputExists, publish } from './publish.ts'
import { requireSpace } from './space.ts'
import { removeLeftovers, TempFile } from './temp-file.ts'

const DEFAULT_PARALLELISM = 8
const HEADER_BYTES = 100
const GAP_TRIES = 3
const GAP_WAIT_MS = 250

/** What to restore, from where to where. */
export interface RestoreOptions extends RestoreTarget {
  client: ReplicaClient
  /** Path of the database file to create. A symbolic link is followed and stays. Missing folders are made, mode 0700. */
  outputPath: string
  /** SQLite's check of the result before it appears. Default `none`: each file's checksum is verified anyway. */
  integrityCheck?: IntegrityCheck
  /** A file at the output path is no error: nothing is done then. */
  ifDbNotExists?: boolean
  /** Replaces the file at the output path, if nobody has it open, and removes sidecars of a lost one. */
  force?: boolean
  /** Only plans. Nothing is looked at or written on disk. */
  dryRun?: boolean
  /** How many small files are fetched at a time. Default 8. */
  parallelism?: number
  /** Called often, synchronously; must not throw. */
  onProgress?: (progress: RestoreProgress) => void
  /** Ends the restore, leaving nothing behind; it rejects with the signal's reason. */
  signal?: AbortSignal
  clock?: Clock
}

/** What a restore came to. */
export interface RestoreResult {
  /** The state restored; 0n if skipped. */
  txid: TXID
  /** Size of the database in bytes. */
  sizeBytes: number
  pageSize: number
  /** The files that were applied, in order; in a dry run those that would be. */
  files: readonly LTXFileInfo[]
  durationMs: number
  /**
   * The time in the last file's header, in ms since the epoch: when that state was captured, or for a snapshot when it
   * was taken, which may be later.
   */
  timestampMs: number
  /** Nothing was done, because a file was there and `ifDbNotExists` was given. */
  skipped: boolean
  /** Nothing was written, because `dryRun` was given. */
  dryRun: boolean
  /** The time asked for is after the newest file, so that the newest state was restored. */
  beyondNewest: boolean
  /** What was at the output path before. `not a database`: whether somebody had it open could not be asked. */
  replaced: 'nothing' | 'database' | 'not a database'
}

/**
 * Restores a database from a replica: the exact pages of one committed state, or an error and nothing left behind.
 *
 * The database is put together in a temporary file beside the output, every file's checksum is verified, and it
 * appears by one step when it is durable and has passed its checks. Local state that we kept for a database at that
 * path is removed with it. Memory does not grow with the database.
 *
 * The new file has mode 0600, or mode and owner of the one that it replaces. Where it replaces a database, see
 * {@link requireUnused} for what cannot be noticed.
 *
 * Throws {@link RestoreError}, errors of the client as they are, or the signal's reason.
 */
export async function restore(options: RestoreOptions): Promise<RestoreResult> {
  const clock = options.clock ?? systemClock
  const startedMs = clock.monotonicMs()
  const result = await new Restore(options, clock).run()
  return { ...result, durationMs: clock.monotonicMs() - startedMs }
}

type TimelessResult = Omit<RestoreResult, 'durationMs'>

class Restore {
  readonly #options: RestoreOptions
  readonly #clock: Clock

  constructor(options: RestoreOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
  }

  async run(): Promise<TimelessResult> {
    const { signal } = this.#options
    signal?.throwIfAborted()
    if (this.#options.dryRun === true) return this.#planOnly()
    const output = await inspectOutput(this.#options.outputPath)
    if (output.existing !== undefined && this.#options.ifDbNotExists === true) return skipped()
    this.#requireAllowed(output)
    if (output.existing !== undefined) await requireUnused(output.path)
    const plan = await this.#plan(0n)
    await this.#requireSpaceFor(plan, output)
    await removeLeftovers(output.path)
    const removeFolders = await createFolders(output.folder)
    try {
      return await this.#build(plan, output)
    } catch (error) {
      await removeFolders()
      throw error
    }
  }

  /** Builds the database in a temporary file, checks it, and lets it appear. The temporary file goes in any case. */
  async #build(plan: RestorePlan, output: Output): Promise<TimelessResult> {
    const temp = TempFile.create(output.path)
    try {
      const applied = await this.#apply(plan, output, temp)
      temp.close()
      checkIntegrity(temp.path, this.#options.integrityCheck ?? 'none')
      const replaced = await this.#putInPlace(temp)
      return { ...applied, skipped: false, dryRun: false, beyondNewest: plan.beyondNewest, replaced }
    } finally {
      await temp.discard()
    }
  }

  async #apply(plan: RestorePlan, output: Output, file: TempFile): Promise<AppliedPlan> {
    const { client, signal, onProgress, parallelism = DEFAULT_PARALLELISM } = this.#options
    return applyPlan(plan, {
      client,
      clock: this.#clock,
      file,
      parallelism,
      planAgain: (from) => this.#plan(from),
      requireSpace: (sizeBytes) => requireSpace(output.folder, sizeBytes),
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    })
  }

  async #putInPlace(temp: TempFile): Promise<RestoreResult['replaced']> {
    this.#options.signal?.throwIfAborted()
    // Much may have happened at the output path since the first look.
    const output = await inspectOutput(this.#options.outputPath)
    this.#requireAllowed(output)
    const replaced = output.existing === undefined ? 'nothing' : await requireUnused(output.path)
    await clearOutput(output)
    await publish(temp.path, output, this.#options.force === true)
    return replaced
  }

  #requireAllowed(output: Output): void {
    if (this.#options.force === true) return
    if (output.existing !== undefined) throw outputExists(output.path)
    const stale = output.sidecars[0]
    if (stale === undefined) return
    throw new RestoreError(
      'RESTORE_STALE_SIDECAR',
      `no database, but a file of an old one is there: ${stale}`,
      {
        hint: 'SQLite would apply it to the restored database: remove it when nothing uses it, or restore with -force',
        path: stale,
      },
    )
  }

  async #planOnly(): Promise<TimelessResult> {
    const plan = await this.#plan(0n)
    const header = await this.#lastHeader(plan)
    const pageSize = header?.pageSize ?? 0
    return {
      ...skipped(),
      txid: plan.maxTXID,
      files: plan.files,
      pageSize,
      sizeBytes: pageSize * (header?.commit ?? 0),
      timestampMs: header?.timestampMs ?? plan.files.at(-1)?.createdAtMs ?? 0,
      beyondNewest: plan.beyondNewest,
      skipped: false,
      dryRun: true,
    }
  }

  /** Plans, and looks again before it believes in a gap: files are compacted while several levels are listed. */
  async #plan(from: TXID): Promise<RestorePlan> {
    const { client, txid, timestampMs, signal } = this.#options
    const list: LevelLister = (level, { accurateTime }) =>
      client.ltxFiles(level, { accurateTime, ...(signal === undefined ? {} : { signal }) })
    const target = {
      ...(txid === undefined ? {} : { txid }),
      ...(timestampMs === undefined ? {} : { timestampMs }),
    }
    for (let tries = 1; ; tries++) {
      try {
        return await planRestore(list, target, { nowMs: this.#clock.now(), from })
      } catch (error) {
        const gap = error instanceof RestoreError && error.code === 'RESTORE_GAP'
        if (!gap || tries === GAP_TRIES) throw error
        await this.#clock.sleep(GAP_WAIT_MS, signal)
      }
    }
  }

  async #requireSpaceFor(plan: RestorePlan, output: Output): Promise<void> {
    const header = await this.#lastHeader(plan)
    if (header !== undefined) await requireSpace(output.folder, header.commit * header.pageSize)
  }

  /** Header of the last planned file, which tells the final size; undefined if it is gone or unreadable by now. */
  async #lastHeader(plan: RestorePlan): Promise<Header | undefined> {
    const last = plan.files.at(-1)
    if (last === undefined) return undefined
    const { client, signal } = this.#options
    try {
      const range = { offset: 0, lengthBytes: HEADER_BYTES, ...(signal === undefined ? {} : { signal }) }
      const chunks: Uint8Array[] = []
      for await (const chunk of (await client.openLTXFile(last, range)) ?? []) chunks.push(chunk)
      return decodeHeader(Buffer.concat(chunks))
    } catch {
      // Only a look ahead: whatever is wrong with the file is told, or tried again, when it is applied.
      signal?.throwIfAborted()
      return undefined
    }
  }
}

function skipped(): TimelessResult {
  return {
    txid: 0n,
    sizeBytes: 0,
    pageSize: 0,
    files: [],
    timestampMs: 0,
    skipped: true,
    dryRun: false,
    beyondNewest: false,
    replaced: 'nothing',
  }
}
