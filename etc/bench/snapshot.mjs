import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { copyAndSyncMs } from './copying.mjs'
import { runCommand } from './replicator.mjs'
import { inFolder, median, ms, printRows, times } from './report.mjs'
import { Writer } from './writer-process.mjs'

/** First snapshot of a database into a file replica, beside `cp` and sync. Arguments: megabytes (641), rounds (3). */
export async function run([megabytes = '641', rounds = '3']) {
  await inFolder(async (folder) => {
    const path = join(folder, 'app.db')
    const writer = new Writer(path)
    await writer.call('grow', Number(megabytes) * 1_000_000)
    await writer.stop()
    const [copies, snapshots, peaks] = [[], [], []]
    for (let round = 0; round < Number(rounds); round++) {
      copies.push(copyAndSyncMs(path, join(folder, 'copy.db')))
      const { wallMs, peakMB } = await runCommand([
        'replicate',
        '-once',
        path,
        `file://${join(folder, 'replica')}`,
      ])
      snapshots.push(wallMs)
      peaks.push(peakMB)
      rmSync(join(folder, 'replica'), { recursive: true })
      rmSync(join(folder, '.app.db-replicate'), { recursive: true })
    }
    printRows(`first snapshot of ${megabytes} MB, medians of ${rounds}`, [
      ['cp + sync', ms(median(copies))],
      ['snapshot', ms(median(snapshots))],
      ['snapshot / (cp + sync)', times(median(snapshots.map((value, round) => value / copies[round])))],
      ['peak memory', `${Math.max(...peaks).toFixed(0)} MB`],
    ])
  })
}
