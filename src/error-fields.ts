/** The `code` of an error of ours, of the file system or of SQLite; undefined for anything without one. */
export function codeOf(error: unknown): string | undefined {
  return textField(error, 'code')
}

/** The `hint` of an error of ours: what to do about it. */
export function hintOf(error: unknown): string | undefined {
  return textField(error, 'hint')
}

/** What an error says, or the text of a thrown value that is none. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function textField(error: unknown, name: string): string | undefined {
  if (!(error instanceof Error)) return undefined
  const value: unknown = Reflect.get(error, name)
  return typeof value === 'string' ? value : undefined
}
