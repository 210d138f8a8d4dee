import { describe, expect, test } from 'vitest'
import { daemonSet as built, node, pod } from '../../../../test/support/builders.ts'
import type { DaemonSet } from '../../../apis/apps/types.gen.ts'
import type { Pod } from '../../../apis/core/types.gen.ts'
import { formatTime } from '../../../machinery/meta/time.ts'
import { FailureBackoff } from './failure-backoff.ts'
import { type DaemonNode, rollingUpdate } from './update.ts'

// Goal: which pods an update replaces next. Method: a letter per node, its pods as words (`old`, `new`, `old!` is not
// available, `old-` is leaving).

const NOW_MS = Date.UTC(2026, 0, 1)

function daemonSet(maxUnavailable: number | string, maxSurge: number | string): DaemonSet {
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } } as const
  return built({ spec: { updateStrategy } })
}

function parsed(name: string, word: string): Pod {
  const [, revision = '', mark = ''] = /^(old|new)([!-]?)$/.exec(word) ?? []
  const time = formatTime(NOW_MS - 1_000)
  return pod({
    metadata: {
      name: `${name}-${revision}`,
      labels: { 'controller-revision-hash': revision },
      ...(mark === '-' ? { deletionTimestamp: time } : {}),
    },
    status: { conditions: [{ type: 'Ready', status: mark === '!' ? 'False' : 'True', lastTransitionTime: time }] },
  })
}

/** A node in capitals is left behind: pods do not belong there any more. */
function nodes(words: Readonly<Record<string, string>>): readonly DaemonNode[] {
  return Object.entries(words).map(([name, text]) => ({
    name,
    node: node({
      metadata: { name },
      spec: name === name.toUpperCase() ? { taints: [{ key: 'left', effect: 'NoSchedule' }] } : {},
    }),
    pods: text
      .split(' ')
      .filter(Boolean)
      .map((word) => parsed(name, word)),
  }))
}

type Row = readonly [
  behaviour: string,
  limit: number | string,
  nodes: Readonly<Record<string, string>>,
  creates: readonly string[],
  deletes: readonly string[],
]

function expectChanges(object: DaemonSet, [, , words, creates, deletes]: Row): void {
  const changes = rollingUpdate({ daemonSet: object, hash: 'new', nowMs: NOW_MS }, nodes(words))
  expect(changes.creates).toEqual(creates)
  expect(changes.deletes.map(({ metadata }) => metadata.name)).toEqual(deletes)
}

describe('without surge', () => {
  const rows: readonly Row[] = [
    ['one node goes first', 1, { a: 'old', b: 'old', c: 'old' }, [], ['a-old']],
    ['the next waits for a pod that is not available', 1, { a: 'new!', b: 'old', c: 'old' }, [], []],
    ['the next waits for a node without a pod', 1, { a: '', b: 'old', c: 'old' }, [], []],
    ['the next waits for a pod that is leaving', 1, { a: 'old-', b: 'old', c: 'old' }, [], []],
    ['the next goes when the first is done', 1, { a: 'new', b: 'old', c: 'old' }, [], ['b-old']],
    ['old pods that are not available go at once', 1, { a: 'old!', b: 'old!', c: 'old' }, [], ['a-old', 'b-old']],
    ['as many go as the limit says', '50%', { a: 'old', b: 'old', c: 'old' }, [], ['a-old', 'b-old']],
    ['it is done when all are new', 1, { a: 'new', b: 'new' }, [], []],
  ]
  for (const row of rows) test(row[0], () => expectChanges(daemonSet(row[1], 0), row))
})

describe('with surge', () => {
  const rows: readonly Row[] = [
    ['one new pod comes first', 1, { a: 'old', b: 'old' }, ['a'], []],
    ['the next waits for it', 1, { a: 'old new!', b: 'old' }, [], []],
    ['the old pod goes when the new one is available', 1, { a: 'old new', b: 'old' }, ['b'], ['a-old']],
    ['old pods that are not available do not count', 1, { a: 'old!', b: 'old!', c: 'old' }, ['a', 'b', 'c'], []],
    ['a node that is left behind keeps its pod while it is needed', 1, { A: 'old', b: 'new!' }, [], []],
    ['a node that is left behind loses its pod after', 1, { A: 'old', b: 'new' }, [], ['A-old']],
    ['a node that is left behind loses a pod that serves nobody', 1, { A: 'old!', b: 'new!' }, [], ['A-old']],
  ]
  for (const row of rows) test(row[0], () => expectChanges(daemonSet(0, row[1]), row))
})

describe('a failed pod', () => {
  test('may be replaced at once the first time, and later and later after', () => {
    const backoff = new FailureBackoff()
    const waits = ['p0', 'p1', 'p2', 'p3'].map((pod) => backoff.replaceAtMs('web/a', pod, NOW_MS) - NOW_MS)
    expect(waits).toEqual([0, 1_000, 3_000, 7_000])
  })

  test('keeps its time however often it is asked for', () => {
    const backoff = new FailureBackoff()
    const first = backoff.replaceAtMs('web/a', 'p0', NOW_MS)
    backoff.replaceAtMs('web/a', 'p1', NOW_MS)
    expect(backoff.replaceAtMs('web/a', 'p0', NOW_MS + 500)).toBe(first)
  })

  test('on another node, or long after, waits for nothing', () => {
    const backoff = new FailureBackoff()
    backoff.replaceAtMs('web/a', 'p0', NOW_MS)
    expect(backoff.replaceAtMs('web/b', 'p1', NOW_MS)).toBe(NOW_MS)
    const later = NOW_MS + 1_800_000
    expect(backoff.replaceAtMs('web/a', 'p2', later)).toBe(later)
  })
})
