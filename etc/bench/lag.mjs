import { watch } from 'node:fs'
import { join } from 'node:path'
import { Replicator } from './replicator.mjs'
import { inFolder, ms, percentile, printRows } from './report.mjs'
import { Writer } from './writer-process.mjs'

/** Time from a commit to its file in the replica, 30 commits a second. Arguments: commits (300), interval in ms (33). */
export async function run([count = '300', intervalMs = '33']) {
  await inFolder(async (folder) => {
    const path = join(folder, 'app.db')
    const writer = new Writer(path)
    await writer.call('paced', 5, 1)
    const replicator = new Replicator(path, join(folder, 'replica'))
    await replicator.ready()
    const arrivedMs = new Map()
    const watcher = watch(replicator.folder, (_event, name) => {
      if (name.endsWith('.ltx') && !arrivedMs.has(name))
        arrivedMs.set(name, performance.timeOrigin + performance.now())
    })
    await new Promise((resolve) => setTimeout(resolve, 500))
    const cpuBeforeMs = replicator.cpuMs()
    const committedMs = await writer.call('paced', Number(count), Number(intervalMs))
    await new Promise((resolve) => setTimeout(resolve, 500))
    const cpuMs = replicator.cpuMs() - cpuBeforeMs
    watcher.close()
    const lags = matched(committedMs, [...arrivedMs.values()])
    printRows(`lag, commit to file in the replica, ${count} commits ${intervalMs} ms apart`, [
      ['p50', ms(percentile(lags, 0.5))],
      ['p99', ms(percentile(lags, 0.99))],
      ['files', `${arrivedMs.size} for ${count} commits`],
      ['CPU of the replicator', ms(cpuMs)],
      ['peak memory of the replicator', `${replicator.peakMB().toFixed(0)} MB`],
    ])
    await replicator.stop()
    await writer.stop()
  })
}

/** For each commit the first file that arrived after it: a file holds every commit before it. */
function matched(committedMs, arrivedMs) {
  let next = 0
  return committedMs.map((committed) => {
    while (next < arrivedMs.length - 1 && arrivedMs[next] < committed) next++
    return arrivedMs[next] - committed
  })
}
