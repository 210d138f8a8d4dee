import { expect, test } from 'vitest'
import { explainPending, explanationLines, type PendingFindings } from './why-pending.ts'

const found: PendingFindings = {
  pod: 'shop/api-7c9',
  atMs: Date.UTC(2026, 0, 1, 10, 2, 3),
  revision: 4711,
  queue: 'unschedulable',
  nodes: [
    { node: 'node-0', fits: false, findings: [{ plugin: 'NodeResourcesFit', text: 'cpu: wants 2, free 1400m of 4' }] },
    {
      node: 'node-1',
      fits: false,
      findings: [
        { plugin: 'TaintToleration', text: 'taint dedicated=gpu:NoSchedule' },
        { plugin: 'NodeResourcesFit', text: 'cpu: wants 2, free 300m of 4' },
      ],
    },
  ],
  suggestions: [
    { node: 'node-0', changes: ['lower requests.cpu from 2 to 1400m'] },
    { node: 'node-1', changes: ['tolerate dedicated=gpu', 'lower requests.cpu from 2 to 300m'] },
  ],
}

test('words the scheduler’s findings for a terminal', () => {
  expect(explanationLines(explainPending(found)).join('\n')).toBe(
    `Pod shop/api-7c9 is Pending: no node fits (2 nodes checked at rev 4711, 10:02:03).

  NODE     RESULT   FIRST REASON                     ALSO FAILS
  node-0   no       cpu: wants 2, free 1400m of 4    –
  node-1   no       taint dedicated=gpu:NoSchedule   cpu: wants 2, free 300m of 4

  Smallest change that would fit:
    • lower requests.cpu from 2 to 1400m                               → node-0
    • or tolerate dedicated=gpu and lower requests.cpu from 2 to 300m  → node-1`,
  )
})

test('says so when there are no nodes at all', () => {
  expect(explainPending({ ...found, nodes: [], suggestions: [] }).summary).toMatch(/: the cluster has no nodes /)
})

test('says so when nodes would fit by now', () => {
  const nodes = [{ node: 'node-0', fits: true, findings: [] }]
  expect(explainPending({ ...found, nodes }).summary).toMatch(
    /: 1 of 1 node would fit; it is in the unschedulable queue /,
  )
})
