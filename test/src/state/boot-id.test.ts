import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readBootID } from '../../../src/state/boot-id.ts'

const KERNEL = '/proc/sys/kernel/random/boot_id'

test('the boot id is eight bytes and stays the same', () => {
  const first = readBootID()
  expect(first).toHaveLength(8)
  expect(new Set(first).size).toBeGreaterThan(1)
  expect(Array.from({ length: 10 }, () => [...readBootID()])).toEqual(
    Array.from({ length: 10 }, () => [...first]),
  )
})

test.runIf(existsSync(KERNEL))('it comes from the id that the kernel gives this boot', () => {
  const text = readFileSync(KERNEL, 'utf8').trim()
  expect([...readBootID()]).toEqual([...createHash('sha256').update(text).digest().subarray(0, 8)])
})
