import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { copyAndSyncMs } from './copying.mjs'
import { runCommand } from './replicator.mjs'
import { inFolder, median, ms, printRows, times } from './report.mjs'
import { Writer } from './writer-process.mjs'

/** Restore from a file replica, beside `cp` and sync of the database. Arguments: megabytes (641), rounds (3). */
export async function run([megabytes = '641', rounds = '3']) {
  await inFolder(async (folder) => {
    const path = join(folder, 'app.db')
    const url = `file://${join(folder, 'replica')}`
    const writer = new Writer(path)
    await writer.call('grow', Number(megabytes) * 1_000_000)
    await runCommand(['replicate', '-once', path, url])
    await writer.stop()
    const [copies, restores, peaks] = [[], [], []]
    for (let round = 0; round < Number(rounds); round++) {
      copies.push(copyAndSyncMs(path, join(folder, 'copy.db')))
      const output = join(folder, 'restored.db')
      const { wallMs, peakMB } = await runCommand(['restore', '-o', output, url])
      restores.push(wallMs)
      peaks.push(peakMB)
      rmSync(output)
    }
    printRows(`restore of ${megabytes} MB, medians of ${rounds}`, [
      ['cp + sync', ms(median(copies))],
      ['restore', ms(median(restores))],
      ['restore / (cp + sync)', times(median(restores.map((value, round) => value / copies[round])))],
      ['peak memory', `${Math.max(...peaks).toFixed(0)} MB`],
    ])
  })
}
