// npm start: sets up, then runs the sample job. npm start -- COMMAND …: sets up, then runs that command.
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { inRoot } from './root.mjs'
import { setUp } from './set-up.mjs'

setUp()
stopWithParent()
if (process.argv.length > 2) {
  // In this process, so that signals, terminal and exit code are those of the command itself.
  process.argv[1] = inRoot('dist', 'src', 'main.js')
  // npm runs scripts in the folder of the package; the user's paths start where the user is.
  if (process.env['INIT_CWD'] !== undefined) process.chdir(process.env['INIT_CWD'])
  await import(pathToFileURL(process.argv[1]).href)
} else {
  const { runSample } = await import('./sample.mjs')
  await runSample()
}

// npm passes a stop signal to a shell that does not pass it on: without this the command would outlive `npm start`.
function stopWithParent() {
  if (process.env['npm_lifecycle_event'] === undefined || process.platform === 'win32') return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGTERM')
  }, 250)
  timer.unref()
}
