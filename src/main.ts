#!/usr/bin/env node
import { runCommandLine } from './cli/run.ts'

// A reader that has seen enough (`replicate ltx … | head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

const { stdout, stderr, env } = process
process.exitCode = await runCommandLine(process.argv.slice(2), { stdout, stderr, env })
