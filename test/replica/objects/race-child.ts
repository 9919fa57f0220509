// One of the processes that race for a key. Told what to do over IPC, one message an answer.
import { FileObjectStore } from '../../../replica/objects/file-store.ts'
import { ObjectStoreError } from '../../../replica/objects/errors.ts'
import type { PutOptions } from '../../../replica/objects/object-store.ts'
import { readAll } from '../../conformance/object-store.ts'

/** What the parent asks. */
export type RaceOrder =
  | {
      readonly do: 'put'
      readonly key: string
      readonly text: string
      readonly startAtMs: number
      readonly options: PutOptions
    }
  | { readonly do: 'count'; readonly key: string; readonly times: number }
  | { readonly do: 'churn'; readonly key: string; readonly times: number }

/** What it answers: whether it won, or how often. */
export type RaceAnswer = { readonly value: boolean | number } | { readonly error: string }

const [, , root = '', hardLinks = ''] = process.argv
const store = new FileObjectStore({ root, hardLinks: hardLinks === 'true' })

const isLost = (error: unknown): boolean =>
  error instanceof ObjectStoreError && error.code === 'OBJECT_PRECONDITION_FAILED'

async function put(order: RaceOrder & { do: 'put' }): Promise<boolean> {
  // The barrier: all look at the same clock.
  while (Date.now() < order.startAtMs);
  try {
    await store.put(order.key, Buffer.from(order.text), order.options)
    return true
  } catch (error) {
    if (isLost(error)) return false
    throw error
  }
}

async function increment(key: string): Promise<boolean> {
  const body = await store.get(key)
  const count = Number((await readAll(body?.bytes)) ?? 0)
  const condition: PutOptions = body === undefined ? { ifNoneMatch: '*' } : { ifMatch: body.info.etag }
  try {
    await store.put(key, Buffer.from(String(count + 1)), condition)
    return true
  } catch (error) {
    if (isLost(error)) return false
    throw error
  }
}

async function count({ key, times }: RaceOrder & { do: 'count' }): Promise<boolean> {
  for (let done = 0; done < times;) if (await increment(key)) done++
  return true
}

// Creates and deletes: a create must never succeed over another, and a folder that comes and goes must not matter.
async function churn({ key, times }: RaceOrder & { do: 'churn' }): Promise<number> {
  let created = 0
  for (let i = 0; i < times; i++) {
    if (await put({ do: 'put', key, text: `${process.pid}`, startAtMs: 0, options: { ifNoneMatch: '*' } })) {
      created++
      await store.delete([key])
    }
  }
  return created
}

async function obey(order: RaceOrder): Promise<boolean | number> {
  if (order.do === 'put') return put(order)
  return order.do === 'count' ? count(order) : churn(order)
}

process.on('message', (order: RaceOrder) => {
  obey(order).then(
    (value) => process.send?.({ value }),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
process.send?.({ value: true })
