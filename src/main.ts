#!/usr/bin/env node
import { runCommandLine } from './cli/run.ts'

// A reader that has seen enough (`replicate ltx … | head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return
  process.stderr.write(`Error: writing to stdout failed: ${error.message}\n`)
  process.exitCode = 1
})

const { stdout, stderr, env } = process
const exitCode = await runCommandLine(process.argv.slice(2), { stdout, stderr, env })
process.exitCode ??= exitCode
