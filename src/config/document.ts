import type { Document, Node, Pair, Scalar } from 'yaml'
import { isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import { ConfigError, type ConfigPosition } from './errors.ts'
import { expandEnv } from './expand-env.ts'
import type { ConfigPath } from './schema.ts'

/** A YAML file with the places of everything in it. */
export class ConfigDocument {
  /** The file, for messages. */
  readonly file: string
  readonly #lines: LineCounter
  readonly #document: Document.Parsed

  /** Throws {@link ConfigError} CONFIG_SYNTAX when `text` is not YAML or has a key twice. */
  constructor(file: string, text: string) {
    this.file = file
    this.#lines = new LineCounter()
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false })
    const [error] = this.#document.errors
    if (error !== undefined) throw this.#syntaxError(error)
  }

  #syntaxError(error: { message: string; pos: [number, number] }): ConfigError {
    const position = this.#positionOf(error.pos[0])
    const reason = error.message.charAt(0).toLowerCase() + error.message.slice(1).replace(/\.$/, '')
    return new ConfigError('CONFIG_SYNTAX', `not valid YAML: ${reason}: ${this.at(position)}`, {
      position,
      cause: error,
    })
  }

  /** Replaces variables in every text of the document. Throws CONFIG_UNSET_VARIABLE for the first without a value. */
  expand(env: Readonly<Record<string, string | undefined>>): void {
    visit(this.#document, {
      Scalar: (key, node) => {
        if (key !== 'key' && typeof node.value === 'string') this.#expandScalar(node, node.value, env)
      },
    })
  }

  #expandScalar(node: Scalar, source: string, env: Readonly<Record<string, string | undefined>>): void {
    const { text, unset } = expandEnv(source, env)
    const [name] = unset
    if (name !== undefined) {
      const position = this.#positionOf(node.range?.[0] ?? 0)
      throw new ConfigError('CONFIG_UNSET_VARIABLE', `variable is not set: ${name}: ${this.at(position)}`, {
        position,
        hint: `set ${name}, write \${${name}:-} for an empty default, $$ for a dollar sign, or use -no-expand-env`,
      })
    }
    // An unquoted `${COUNT}` has to become the number that a person would have written in its place.
    node.value = text !== source && node.type === 'PLAIN' ? resolvePlain(text) : text
  }

  /** The content as plain values. */
  toValue(): unknown {
    return this.#document.toJS()
  }

  /** `file:line:column`, or the file alone. */
  at(position: ConfigPosition | undefined): string {
    return position === undefined ? this.file : `${this.file}:${position.line}:${position.column}`
  }

  /** Where the value at `path` stands, or the nearest thing around it that is there. */
  positionOfValue(path: ConfigPath): ConfigPosition {
    let node: Node | null | undefined = this.#document.contents
    for (const step of path) {
      const next = childOf(node, step)
      if (next === undefined) break
      node = next
    }
    return this.#positionOf(node?.range?.[0] ?? 0)
  }

  /** Where the key `key` of the mapping at `path` stands. */
  positionOfKey(path: ConfigPath, key: string): ConfigPosition {
    let node: Node | null | undefined = this.#document.contents
    for (const step of path) node = childOf(node, step)
    const pair = pairOf(node, key)
    return this.#positionOf((isNode(pair?.key) ? pair.key.range?.[0] : undefined) ?? node?.range?.[0] ?? 0)
  }

  #positionOf(offset: number): ConfigPosition {
    const { line, col } = this.#lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
}

function pairOf(node: unknown, key: PropertyKey): Pair | undefined {
  if (!isMap(node)) return undefined
  return node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
}

function childOf(node: unknown, step: PropertyKey): Node | undefined {
  const child = isSeq(node) ? node.items[Number(step)] : pairOf(node, step)?.value
  return isNode(child) ? child : undefined
}

function resolvePlain(text: string): string | number | boolean {
  if (text === 'true') return true
  if (text === 'false') return false
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}
