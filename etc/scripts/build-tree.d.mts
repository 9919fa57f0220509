export function buildIfStale(options?: { isStrict?: boolean }): boolean
export function build(options?: { isStrict?: boolean }): boolean
