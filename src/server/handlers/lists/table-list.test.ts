import { expect, test } from 'vitest'
import { ageColumn, nameColumn, textColumn } from '../../../apis/columns.ts'
import { pods } from '../../../apis/core/pod/definition.ts'
import type { Pod } from '../../../apis/core/types.gen.ts'
import { byCodeUnit } from '../../../base/group-by.ts'
import { randomInteger, seededRandom } from '../../../base/random.ts'
import { createCodec, itemOffset, type Stored } from '../../registry/codec.ts'
import { type IncludeObject, type Printed, tableOf } from '../table.ts'
import { glance } from './glance.ts'
import type { EncodedBody } from './list-body.ts'
import { tableList } from './table-list.ts'

const NOW_MS = Date.parse('2026-01-01T00:10:00Z')
const HOUR_MS = 3_600_000
const codec = createCodec(pods)
const metadata = { resourceVersion: '7', continue: 'x', remainingItemCount: 3 }

function podOf(index: number, restarts: number): Pod {
  const created = new Date(NOW_MS - index * 61_000).toISOString().replace('.000', '')
  const terminated = { exitCode: 1, finishedAt: created, startedAt: created }
  return {
    metadata: { name: `pod-${index}`, namespace: 'default', creationTimestamp: created, labels: { '}"': 'ä{' } },
    spec: { containers: [{ name: 'main', image: 'i' }], nodeName: index % 2 ? `nöde-${index}` : undefined },
    status: {
      phase: 'Running',
      containerStatuses: [
        { name: 'main', image: 'i', imageID: '', ready: true, restartCount: restarts, lastState: { terminated } },
      ],
    },
  }
}

function textOf(body: EncodedBody): string {
  if (body.type === 'bytes') return Buffer.from(body.bytes).toString()
  return Buffer.concat(Array.from(body.pieces, (piece) => Buffer.from(piece))).toString()
}

function expectSame(printed: Printed<Pod>, items: readonly Stored<Pod>[], include: IncludeObject, nowMs: number) {
  const options = { include, metaVersion: 'v1', nowMs }
  const objects = items.map(({ bytes }) => glance<Pod>(bytes))
  const made = JSON.stringify(tableOf(printed, objects, metadata, options))
  expect(textOf(tableList(printed, items, metadata, { ...options, offset: itemOffset(pods) }))).toBe(made)
}

test('is the table of the objects, whatever is asked again, changed or an hour older', () => {
  const random = seededRandom(9)
  let revision = 1
  const items = Array.from({ length: 40 }, (_, index) => codec.stored(podOf(index, index % 3), revision++))
  for (let round = 0; round < 60; round++) {
    const index = randomInteger(random, items.length)
    items[index] = codec.stored(podOf(index, round), revision++)
    const include = (['Metadata', 'Object', 'None'] as const)[round % 3] ?? 'None'
    expectSame(pods, items, include, NOW_MS + round * HOUR_MS)
  }
})

test('other columns are other cells, and an order is kept', () => {
  const items = Array.from({ length: 9 }, (_, index) => codec.stored(podOf(index, 0), index + 1))
  expectSame(pods, items, 'Metadata', NOW_MS)
  expectSame({ columns: [nameColumn, ageColumn, textColumn('X', () => 'x')] }, items, 'Metadata', NOW_MS)
  expectSame({ columns: [] }, items, 'None', NOW_MS)
  const backwards = (left: Pod, right: Pod) => byCodeUnit(right.metadata.name ?? '', left.metadata.name ?? '')
  expectSame({ columns: pods.columns, tableOrder: backwards }, items, 'Metadata', NOW_MS)
  expectSame(pods, [], 'Metadata', NOW_MS)
})
