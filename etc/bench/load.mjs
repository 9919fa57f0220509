import { join } from 'node:path'
import { Replicator } from './replicator.mjs'
import { inFolder, median, printRows, times } from './report.mjs'
import { Writer } from './writer-process.mjs'

/** Commits a second of a writer at full speed, alone and replicated, in turn. Arguments: seconds (10), rounds (3). */
export async function run([seconds = '10', rounds = '3']) {
  const kept = []
  const cpuPerCommit = []
  const rates = []
  for (let round = 0; round < Number(rounds); round++) {
    await inFolder(async (folder) => {
      const alone = await rateAlone(join(folder, 'alone.db'), Number(seconds))
      const beside = await rateBeside(join(folder, 'app.db'), join(folder, 'replica'), Number(seconds))
      kept.push(beside.rate / alone)
      cpuPerCommit.push((beside.cpuMs * 1000) / (beside.rate * Number(seconds)))
      rates.push(alone)
      console.log(
        `round ${round + 1}: alone ${alone.toFixed(0)}/s, replicated ${beside.rate.toFixed(0)}/s, memory ${beside.peakMB.toFixed(0)} MB`,
      )
    })
  }
  printRows(`writer at full speed, medians of ${rounds} rounds of ${seconds} s`, [
    ['commits alone', `${median(rates).toFixed(0)}/s`],
    ['kept beside the replicator', times(median(kept))],
    ['CPU of the replicator per commit', `${median(cpuPerCommit).toFixed(0)} µs`],
  ])
}

async function rateAlone(path, seconds) {
  const writer = new Writer(path)
  await writer.call('full', 1)
  const rate = await writer.call('full', seconds)
  await writer.stop()
  return rate
}

async function rateBeside(path, replica, seconds) {
  const writer = new Writer(path)
  await writer.call('full', 1)
  const replicator = new Replicator(path, replica)
  await replicator.ready()
  const cpuBeforeMs = replicator.cpuMs()
  const rate = await writer.call('full', seconds)
  const cpuMs = replicator.cpuMs() - cpuBeforeMs
  const peakMB = replicator.peakMB()
  await replicator.stop()
  await writer.stop()
  return { rate, cpuMs, peakMB }
}
