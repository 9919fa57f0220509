// Stands in for the sqlite3 shell where none is installed: sqlite3 DATABASE SQL, columns separated by a bar.
import process from 'node:process'
import Database from 'better-sqlite3'

const [path, script] = process.argv.slice(2)
const database = new Database(path)
for (const statement of script
  .split(';')
  .map((part) => part.trim())
  .filter(Boolean)) {
  const prepared = database.prepare(statement)
  if (!prepared.reader) prepared.run()
  else for (const row of prepared.raw().all()) process.stdout.write(`${row.join('|')}\n`)
}
database.close()
