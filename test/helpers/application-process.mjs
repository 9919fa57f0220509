// The other side of Application: see application.ts.
import Database from 'better-sqlite3'

let database

const methods = {
  open(path, options) {
    database = new Database(path, { timeout: 10_000 })
    if (options.pageSize) database.pragma(`page_size = ${options.pageSize}`)
    if (options.autoVacuum) database.pragma(`auto_vacuum = ${options.autoVacuum}`)
    database.pragma(`journal_mode = ${options.journalMode ?? 'wal'}`)
    if (options.synchronous) database.pragma(`synchronous = ${options.synchronous}`)
    if (options.walAutocheckpoint !== undefined)
      database.pragma(`wal_autocheckpoint = ${options.walAutocheckpoint}`)
    if (options.cachePages !== undefined) database.pragma(`cache_size = ${options.cachePages}`)
  },
  close() {
    database.close()
  },
  exec(sql) {
    database.exec(sql)
  },
  value(sql) {
    return database.prepare(sql).pluck().get()
  },
  image() {
    return database.serialize()
  },
  insertMany(count, payloadBytes) {
    database.exec('CREATE TABLE IF NOT EXISTS many(id INTEGER PRIMARY KEY, payload BLOB)')
    const insert = database.prepare('INSERT INTO many(payload) VALUES (randomblob(?))')
    for (let index = 0; index < count; index++) insert.run(payloadBytes)
  },
  stop() {
    if (database?.open) database.close()
    process.disconnect()
  },
}

process.on('message', ({ id, method, args }) => {
  try {
    const value = methods[method](...args)
    if (process.connected) process.send({ id, value })
  } catch (error) {
    process.send({ id, error: error.message })
  }
})
