// npm start: sets up, then runs the sample job. npm start -- COMMAND …: sets up, then runs that command.
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { inRoot } from './root.mjs'
import { setUp } from './set-up.mjs'

setUp()
if (process.argv.length > 2) {
  // In this process, so that signals, terminal and exit code are those of the command itself.
  process.argv[1] = inRoot('dist', 'src', 'main.js')
  await import(pathToFileURL(process.argv[1]).href)
} else {
  const { runSample } = await import('./sample.mjs')
  await runSample()
}
