// The application of the sample: opens its own database and commits, unaware of any replicator.
// Arguments: DATABASE TRANSACTIONS PAUSE_MS
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'

const [path, transactions, pauseMs] = process.argv.slice(2)
const database = new Database(path)
database.pragma('journal_mode = WAL')
database.exec(
  'CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL, price REAL NOT NULL, note BLOB)',
)
const insert = database.prepare('INSERT INTO orders (item, price, note) VALUES (?, ?, randomblob(600))')
const change = database.prepare('UPDATE orders SET price = price * 1.01 WHERE id = ?')
const commit = database.transaction((number) => {
  for (let row = 0; row < 5; row++) insert.run(`item ${number}-${row}`, number + row / 10)
  change.run(Math.ceil(number / 2))
})
process.send?.('ready')
for (let number = 1; number <= Number(transactions); number++) {
  commit(number)
  await sleep(Number(pauseMs))
}
database.close()
process.disconnect?.()
