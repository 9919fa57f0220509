import { createRequire } from 'node:module'

const packageFile: { version: string } = createRequire(import.meta.url)('sqlite-replicate/package.json')

/** Version of this package, as in its package.json. */
export const version: string = packageFile.version
