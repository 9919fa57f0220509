import { spawn } from 'node:child_process'
import Database from 'better-sqlite3'
import { onTestFinished } from 'vitest'

/** Makes a database with table `t` and the row 'old', and closes it. */
export function oldDatabase(path: string, mode: 'wal' | 'delete'): void {
  const old = new Database(path)
  old.pragma(`journal_mode = ${mode}`)
  old.exec("create table if not exists t(x); insert into t values ('old')")
  old.close()
}

/** A process that runs SQL on a database and then holds it open until the test ends. */
export async function holdOpen(path: string, sql: string): Promise<void> {
  const script = `const db = new (require('better-sqlite3'))(${JSON.stringify(path)})
    db.exec(${JSON.stringify(sql)}); console.log('ready'); process.stdin.resume().on('end', () => process.exit())`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  onTestFinished(async () => {
    child.stdin.end()
    await gone
  })
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve())
    child.once('exit', () => reject(new Error('the holder ended')))
  })
}
