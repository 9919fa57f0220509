import { expect, test } from 'vitest'
import { MAX_UVARINT_BYTES, writeUvarint } from '../../ltx/uvarint.ts'
import { jsonFixture } from './files.ts'

const { uvarint } = jsonFixture('crc/vectors.json') as { uvarint: { value: number; hex: string }[] }

test.each(uvarint.filter(({ value }) => Number.isSafeInteger(value)))(
  '$value is written as $hex',
  ({ value, hex }) => {
    const bytes = new Uint8Array(MAX_UVARINT_BYTES + 2)
    const end = writeUvarint(bytes, 2, value)
    expect(Buffer.from(bytes.subarray(2, end)).toString('hex')).toBe(hex)
  },
)
