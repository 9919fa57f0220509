// npm run check
import process from 'node:process'
import { checks } from './checks.mjs'

const failed = checks.filter((check) => !check.run())
for (const { name } of failed) console.error(`failed: ${name}`)
process.exitCode = failed.length === 0 ? 0 : 1
