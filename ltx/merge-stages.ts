import { HEADER_FLAG_NO_CHECKSUM } from './constants.ts'
import { mergeToFile, type FileMergeOptions } from './merge-encode.ts'
import type { LTXSource } from './merge-input.ts'
import { MergeSpill, type SpillBudget } from './merge-spill.ts'

/** How a merge of many inputs keeps its memory and its open files bounded. */
export interface StageOptions extends FileMergeOptions {
  readonly maxOpenInputs: number
  readonly spillFolder: string | undefined
  readonly spillMemoryBytes: number
}

/** Fewer sources with the same pages; to be disposed of once they have been read. */
export interface ReducedSources extends AsyncDisposable {
  readonly sources: readonly LTXSource[]
}

/**
 * Merges neighbours into intermediate files until no more than `maxOpenInputs` sources are left. The oldest
 * stay as they are as far as that goes, the first always: it is the large one, a snapshot or a file of a
 * higher level, and must not be written twice.
 */
export async function reduceSources(
  sources: readonly LTXSource[],
  options: StageOptions,
): Promise<ReducedSources> {
  const stages = new Stages(options)
  const dispose = (): Promise<void> => stages.dispose()
  try {
    let left = sources
    while (left.length > options.maxOpenInputs) left = await stages.reduce(left)
    return { sources: left, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

/** How many of the oldest sources can stay, so that they and one file per group of the others can be open at once. */
export function directSources(count: number, maxOpenInputs: number): number {
  let kept = maxOpenInputs - 1
  while (kept > 1 && kept + Math.ceil((count - kept) / maxOpenInputs) > maxOpenInputs) kept--
  return kept
}

class Stages {
  readonly #options: StageOptions
  readonly #budget: SpillBudget
  /** The intermediate files that exist, by the source that reads them. */
  readonly #spills = new Map<LTXSource, MergeSpill>()

  constructor(options: StageOptions) {
    this.#options = options
    this.#budget = { memoryBytes: options.spillMemoryBytes }
  }

  async reduce(sources: readonly LTXSource[]): Promise<LTXSource[]> {
    const { maxOpenInputs } = this.#options
    const kept = directSources(sources.length, maxOpenInputs)
    const reduced = sources.slice(0, kept)
    for (let at = kept; at < sources.length; at += maxOpenInputs) {
      const group = sources.slice(at, at + maxOpenInputs)
      reduced.push(group.length === 1 ? group[0]! : await this.#mergeGroup(group))
    }
    return reduced
  }

  async dispose(): Promise<void> {
    await this.#disposeOf([...this.#spills.keys()])
  }

  async #mergeGroup(group: readonly LTXSource[]): Promise<LTXSource> {
    const { spillFolder, flags = HEADER_FLAG_NO_CHECKSUM } = this.#options
    const spill = new MergeSpill(spillFolder, this.#budget)
    const source = spill.source(`${group[0]!.name} to ${group.at(-1)!.name}`)
    this.#spills.set(source, spill)
    const options: FileMergeOptions = { ...this.#options, payload: 'block', flags }
    await mergeToFile(group, (chunk) => spill.write(chunk), options)
    await this.#disposeOf(group)
    return source
  }

  async #disposeOf(sources: readonly LTXSource[]): Promise<void> {
    for (const source of sources) {
      const spill = this.#spills.get(source)
      this.#spills.delete(source)
      await spill?.dispose()
    }
  }
}
