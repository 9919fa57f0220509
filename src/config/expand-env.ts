const REFERENCE = /\$(?:\$|\{([A-Za-z_]\w*)(?::-([^}]*))?\}|([A-Za-z_]\w*))/g

/** What {@link expandEnv} found: the text with its references replaced, and the names that have no value. */
export interface ExpandedText {
  text: string
  unset: readonly string[]
}

/**
 * Replaces `$NAME`, `${NAME}` and `${NAME:-otherwise}` by the values in `env`, and `$$` by one dollar sign.
 * A name that is set to nothing counts as set, except before `:-`. Values are not expanded again.
 */
export function expandEnv(text: string, env: Readonly<Record<string, string | undefined>>): ExpandedText {
  const unset: string[] = []
  const replace = (match: string, braced?: string, fallback?: string, bare?: string): string => {
    const name = braced ?? bare
    if (name === undefined) return match === '$$' ? '$' : match
    const value = env[name]
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value
    if (value === undefined) unset.push(name)
    return value ?? ''
  }
  return { text: text.replaceAll(REFERENCE, replace), unset }
}
