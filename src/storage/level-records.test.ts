import { expect, test } from 'vitest'
import {
  checksumOfValue,
  decodeIndexEntry,
  decodeLogRecord,
  decodeValue,
  encodeIndexEntry,
  encodeLogRecord,
  encodeValue,
  type LogRecord,
  logKey,
  VALUE_HEADER_BYTES,
} from './level-records.ts'
import { Corrupt } from './storage.ts'

const record: LogRecord = {
  revision: 2 ** 40,
  previousChecksum: 0xfedcba98,
  timeMs: Date.UTC(2026, 0, 1),
  fence: 7,
  cause: 'büro 😀',
  writes: [
    { type: 'put', key: 'a/é', created: 3, previous: { revision: 9, position: 1 }, valueChecksum: 5 },
    { type: 'delete', key: 'b', created: 4, previous: undefined, valueChecksum: 0 },
  ],
}

test('a record reads back as it was written', () => {
  expect(decodeLogRecord(encodeLogRecord(record))).toEqual(record)
  expect(decodeLogRecord(encodeLogRecord({ ...record, cause: undefined }))).toEqual({ ...record, cause: undefined })
  expect(decodeLogRecord(encodeLogRecord({ ...record, cause: '' }))).toMatchObject({ cause: '' })
})

test('no bit of a record, an index entry or a value changes unnoticed', () => {
  const entry = { revision: 5, created: 2, position: 1 }
  const value = Buffer.from('value')
  const valueRecord = Buffer.alloc(VALUE_HEADER_BYTES + value.length)
  encodeValue(value, checksumOfValue(value), valueRecord)
  expect(decodeValue('k', 1, valueRecord)).toEqual(value)
  expect(decodeIndexEntry('k', encodeIndexEntry(entry))).toEqual(entry)
  const readers = [
    [encodeLogRecord(record), (bytes: Buffer) => decodeLogRecord(bytes)],
    [encodeIndexEntry(entry), (bytes: Buffer) => decodeIndexEntry('k', bytes)],
    [valueRecord, (bytes: Buffer) => decodeValue('k', 1, bytes)],
  ] as const
  for (const [bytes, read] of readers) {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect(() => read(changed)).toThrow(Corrupt)
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(() => read(bytes.subarray(0, length))).toThrow(Corrupt)
    }
  }
})

test('zeros are no record', () => {
  for (const bytes of [Buffer.alloc(4), Buffer.alloc(200)]) {
    expect(() => decodeLogRecord(bytes)).toThrow(Corrupt)
    expect(() => decodeIndexEntry('k', bytes)).toThrow(Corrupt)
    expect(() => decodeValue('k', 1, bytes)).toThrow(Corrupt)
  }
})

test('keys of revisions sort like the revisions', () => {
  const revisions = [1, 255, 256, 65_535, 2 ** 32, 2 ** 52]
  const keys = revisions.map((revision) => logKey(revision))
  expect(keys.toSorted(Buffer.compare)).toEqual(keys)
})
