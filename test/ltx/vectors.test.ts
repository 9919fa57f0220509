import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  type Header,
  HEADER_FLAG_NO_CHECKSUM,
  pageChecksum,
  PageReader,
  type PagePayload,
  verifyLTX,
} from '../../ltx/index.ts'
import { PageIndexLog } from '../../ltx/page-index-log.ts'
import { codeOf, decode, encode, fingerprint, fixture, jsonFixture, rejectedCodeOf } from './files.ts'

interface ExpectedPage {
  pgno: number
  flags: number
  encoding: PagePayload
  offset: number
  size: number
  dataSha256: string
  pageChecksum: string
}

interface ExpectedFile {
  fileSize: number
  header: Record<string, number | string | boolean>
  pages: ExpectedPage[]
  postApplyChecksum: string
  fileChecksum: string
  indexOffset: number
  indexSize: number
}

const names = readdirSync(new URL('../fixtures/ltx/', import.meta.url))
const good = names.filter((name) => /^(block|frame)-.*\.ltx$/.test(name)).map((name) => name.slice(0, -4))
const bad = names.filter((name) => /^bad-.*\.ltx$/.test(name))

function hex(value: bigint | number, digits = 16): string {
  return value.toString(16).padStart(digits, '0')
}

/** A header in the form of the expectations. */
function described(header: Header): ExpectedFile['header'] {
  return {
    magic: 'LTX1',
    flags: header.flags,
    pageSize: header.pageSize,
    commit: header.commit,
    minTXID: hex(header.minTXID),
    maxTXID: hex(header.maxTXID),
    timestamp: header.timestampMs,
    preApplyChecksum: hex(header.preApplyChecksum),
    walOffset: header.walOffset,
    walSize: header.walSize,
    walSalt1: hex(header.walSalt1, 8),
    walSalt2: hex(header.walSalt2, 8),
    nodeID: hex(header.nodeID),
    reservedZero: header.reserved.every((byte) => byte === 0),
  }
}

test('there are files to try', () => {
  expect(good.length).toBeGreaterThanOrEqual(18)
  expect(bad.length).toBe(13)
})

describe.each(good)('%s', (name) => {
  const file = fixture(`ltx/${name}.ltx`)
  const expected = jsonFixture(`ltx/${name}.json`) as ExpectedFile

  test('is read as the other reader read it', async () => {
    const { header, pages, trailer } = decode(file)
    expect(described(header)).toEqual(expected.header)
    expect(hex(trailer.postApplyChecksum)).toBe(expected.postApplyChecksum)
    expect(hex(trailer.fileChecksum)).toBe(expected.fileChecksum)
    const found = [...pages].map(([pgno, data]) => ({
      pgno,
      dataSha256: createHash('sha256').update(data).digest('hex'),
      pageChecksum: hex(pageChecksum(pgno, data)),
    }))
    expect(found).toEqual(
      expected.pages.map(({ pgno, dataSha256, pageChecksum }) => ({ pgno, dataSha256, pageChecksum })),
    )
    const verified = await verifyLTX([file])
    expect(verified).toEqual({ header, trailer, sizeBytes: expected.fileSize, pages: expected.pages.length })
  })

  test('has its frames where its index says', async () => {
    const requests: [number, number][] = []
    const reader = await PageReader.open({
      sizeBytes: file.length,
      read: (offset, length) => {
        requests.push([offset, length])
        return Promise.resolve(file.slice(offset, offset + length))
      },
    })
    const log = new PageIndexLog()
    for (const { pgno, offset, size, encoding } of expected.pages) {
      requests.length = 0
      await reader.readPage(pgno)
      expect(requests).toEqual([[offset, size]])
      expect(offset).toBe(log.nextOffset)
      expect(file[offset + 5]).toBe(encoding === 'block' ? 1 : 0)
      log.append(pgno, size)
    }
    expect(log.nextOffset + 6).toBe(expected.indexOffset)
    expect(expected.indexOffset + expected.indexSize + 24).toBe(file.length)
  })

  test.each(['block', 'frame'] as const)('holds the same once written again as %s', (payload) => {
    const { header, pages, trailer } = decode(file)
    const { postApplyChecksum } = trailer
    const tracked = (header.flags & HEADER_FLAG_NO_CHECKSUM) === 0
    const again = decode(encode(header, pages, { payload, ...(tracked ? { postApplyChecksum } : {}) }))
    expect(again.header).toEqual(header)
    expect(fingerprint(again.pages)).toEqual(fingerprint(pages))
    expect(again.trailer.postApplyChecksum).toBe(postApplyChecksum)
  })
})

describe('a damaged file', () => {
  const codes: Record<string, string> = {
    'bad-beyond-commit.ltx': 'LTX_PAGE_BEYOND_COMMIT',
    'bad-filechecksum.ltx': 'LTX_CHECKSUM_MISMATCH',
    // The flag that it carries is the one of compressed LiteFS files.
    'bad-flags.ltx': 'LTX_UNSUPPORTED_VERSION',
    'bad-magic.ltx': 'LTX_BAD_MAGIC',
    'bad-mintxid0.ltx': 'LTX_INVALID_TXID',
    'bad-pageflags.ltx': 'LTX_INVALID_PAGE_FLAGS',
    'bad-pagesize.ltx': 'LTX_INVALID_PAGE_SIZE',
    'bad-postapply.ltx': 'LTX_POST_APPLY_MISMATCH',
    'bad-salt-without-offset.ltx': 'LTX_INVALID_WAL_FIELDS',
    'bad-snapshot-hole.ltx': 'LTX_INCOMPLETE_SNAPSHOT',
    'bad-timestamp.ltx': 'LTX_INVALID_TIMESTAMP',
    'bad-truncated.ltx': 'LTX_TRUNCATED',
    'bad-unordered.ltx': 'LTX_OUT_OF_ORDER',
  }

  test.each(bad)('%s is refused with a code of its own', async (name) => {
    expect(codeOf(() => decode(fixture(`ltx/${name}`)))).toBe(codes[name])
    expect(await rejectedCodeOf(verifyLTX([fixture(`ltx/${name}`)]))).toBe(codes[name])
    expect(Object.values(codes).filter((code) => code === codes[name])).toHaveLength(1)
  })
})

describe('a file of another layout', () => {
  test('of LiteFS is named as such', () => {
    const file = fixture('ltx/v1-litefs-000000000000000d.ltx')
    expect(codeOf(() => decode(file))).toBe('LTX_UNSUPPORTED_VERSION')
  })
})
