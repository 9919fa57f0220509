// A writer in a process of its own. Commands over IPC: paced(count, intervalMs), full(seconds), grow(bytes).
import Database from 'better-sqlite3'

const database = new Database(process.argv[2])
database.pragma('journal_mode = wal')
database.pragma('synchronous = normal')
database.exec('CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, v BLOB)')
const insert = database.prepare('INSERT INTO t(v) VALUES (?)')
// Half of it compresses well.
const payload = () =>
  Buffer.concat([Buffer.alloc(100, 'a'), Buffer.from(Array.from({ length: 100 }, () => Math.random() * 256))])

const commands = {
  async paced(count, intervalMs) {
    const committedMs = []
    for (let index = 0; index < count; index++) {
      await new Promise((resolve) => setTimeout(resolve, intervalMs))
      insert.run(payload())
      committedMs.push(performance.timeOrigin + performance.now())
    }
    return committedMs
  },
  async full(seconds) {
    const endMs = performance.now() + seconds * 1000
    const bytes = payload()
    let commits = 0
    while (performance.now() < endMs) {
      insert.run(bytes)
      commits++
    }
    return commits / seconds
  },
  async grow(bytes) {
    const grow = database.prepare(
      'INSERT INTO t(v) SELECT zeroblob(1024) || randomblob(1024) FROM t LIMIT 20000',
    )
    insert.run(payload())
    while (database.pragma('page_count', { simple: true }) * 4096 < bytes) grow.run()
    database.pragma('wal_checkpoint(TRUNCATE)')
    return database.pragma('page_count', { simple: true }) * 4096
  },
  async stop() {
    database.close()
    process.disconnect()
  },
}

process.on('message', ({ command, args }) => {
  void Promise.resolve(commands[command](...args)).then((result) => process.connected && process.send(result))
})
