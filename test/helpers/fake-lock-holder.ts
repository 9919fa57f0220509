// A process that takes the lock of the state folder given, says whether it has it, and stays until it is killed.
import { ProcessLock } from '../../src/state/process-lock.ts'

const lock = ProcessLock.acquire(process.argv[2]!)
process.send?.(lock !== undefined)
setInterval(() => lock, 60_000)
