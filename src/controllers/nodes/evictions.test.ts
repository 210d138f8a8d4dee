import { describe, expect, test } from 'vitest'
import { node, pod } from '../../../test/support/builders.ts'
import type { Pod, Taint, Toleration } from '../../apis/core/types.gen.ts'
import { planNodeIpam } from './node-ipam.ts'
import { planPodGarbage } from './pod-garbage-collector.ts'
import { planEviction } from './taint-eviction.ts'

const NOW = Date.UTC(2026, 0, 1, 1)
const TIME = '2026-01-01T01:00:00Z'
const CREATED = '2026-01-01T00:00:00Z'

describe('pods on a node with taints', () => {
  const dead: Taint = { key: 'dead', effect: 'NoExecute', timeAdded: TIME }
  const leaveMs = (taints: readonly Taint[], tolerations: readonly Toleration[], created = CREATED) => {
    const target = pod({ metadata: { creationTimestamp: created }, spec: { tolerations } })
    const { actions, requeueAfterMs } = planEviction({ pod: target, node: node({ spec: { taints } }) }, NOW)
    return actions.length > 0 ? 0 : requeueAfterMs
  }
  const cases: readonly (readonly [string, readonly Taint[], readonly Toleration[], number | undefined])[] = [
    ['stay without a taint that evicts', [{ key: 'dead', effect: 'NoSchedule' }], [], undefined],
    ['leave at once when they do not tolerate it', [dead], [], 0],
    ['stay for ever when they do', [dead], [{ key: 'dead', operator: 'Exists' }], undefined],
    ['stay for as long as they do', [dead], [{ operator: 'Exists', tolerationSeconds: 30 }], 30_000],
    ['leave at once when they tolerate it for no time', [dead], [{ operator: 'Exists', tolerationSeconds: 0 }], 0],
    [
      'are not helped by what tolerates another effect',
      [dead],
      [{ key: 'dead', operator: 'Exists', effect: 'NoSchedule' }],
      0,
    ],
    ['need the right value', [{ ...dead, value: 'yes' }], [{ key: 'dead', value: 'no' }], 0],
    [
      'go by the first toleration that matches',
      [dead],
      [
        { key: 'dead', operator: 'Exists' },
        { operator: 'Exists', tolerationSeconds: 5 },
      ],
      undefined,
    ],
    [
      'leave for the taint they tolerate shortest',
      [dead, { ...dead, key: 'sick' }],
      [
        { key: 'dead', operator: 'Exists', tolerationSeconds: 60 },
        { key: 'sick', operator: 'Exists', tolerationSeconds: 20 },
      ],
      20_000,
    ],
  ]
  test.each(cases)('%s', (_, taints, tolerations, expected) => expect(leaveMs(taints, tolerations)).toBe(expected))
  test('have their time from when they came', () => {
    const old = { ...dead, timeAdded: CREATED }
    expect(leaveMs([old], [{ operator: 'Exists', tolerationSeconds: 30 }], TIME)).toBe(30_000)
  })
  test('are told why before they go', () => {
    const tainted = node({ spec: { taints: [dead] } })
    const first = planEviction({ pod: pod(), node: tainted }, NOW)
    expect(first.actions.map((action) => action.do)).toEqual(['update-status'])
    const [update] = first.actions
    const told = (update?.do === 'update-status' ? update.object : pod()) as Pod
    expect(planEviction({ pod: told, node: tainted }, NOW).actions.map((action) => action.do)).toEqual(['delete'])
  })
})

describe('pods that are collected', () => {
  const onNode = (name: string, nodeName: string, deleted = false) =>
    pod({ metadata: { name, ...(deleted ? { deletionTimestamp: TIME } : {}) }, spec: { nodeName } })
  const down = node({
    metadata: { name: 'down' },
    spec: { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] },
  })
  const nodes = new Map([
    ['up', node({ metadata: { name: 'up' } })],
    ['down', down],
  ])
  const collected = (pods: readonly Pod[], missingSinceMs: ReadonlyMap<string, number> = new Map()) =>
    planPodGarbage({ pods, nodes, missingSinceMs }, NOW).map(({ pod: { metadata }, because }) => [
      metadata.name,
      because,
    ])
  test('are those whose node has been gone for a while', () => {
    const pods = [onNode('a', 'gone'), onNode('b', 'just-gone'), onNode('c', 'up')]
    const since = new Map([
      ['gone', NOW - 40_000],
      ['just-gone', NOW - 39_999],
    ])
    expect(collected(pods, since)).toEqual([['a', 'orphaned']])
  })
  test('are deleted ones that nobody will end', () => {
    const pods = [onNode('a', '', true), onNode('b', 'down', true), onNode('c', 'down'), onNode('d', 'up', true)]
    expect(collected(pods)).toEqual([
      ['a', 'abandoned'],
      ['b', 'abandoned'],
    ])
  })
  test('are the oldest of too many finished ones', () => {
    const finished = Array.from({ length: 12_502 }, (_, index) =>
      pod({
        metadata: { name: `p${index}`, creationTimestamp: new Date(NOW - index * 1_000).toISOString() },
        spec: { nodeName: 'up' },
        status: { phase: 'Succeeded' },
      }),
    )
    expect(collected(finished)).toEqual([
      ['p12501', 'finished'],
      ['p12500', 'finished'],
    ])
  })
})

test('a node gets the first free range, and an event when there is none', () => {
  const cluster = { family: 4 as const, base: 0x0a000000n, prefixLength: 23 }
  const rangeOf = (taken: readonly string[]) => {
    const { actions } = planNodeIpam({ node: node(), taken: new Set(taken), cluster, prefixLength: 24 })
    return actions.map((action) => (action.do === 'patch' ? action.patch.body : action.do))
  }
  expect(rangeOf(['10.0.0.0/24'])).toEqual([{ spec: { podCIDR: '10.0.1.0/24', podCIDRs: ['10.0.1.0/24'] } }])
  expect(rangeOf(['10.0.0.0/24', '10.0.1.0/24'])).toEqual(['event'])
})
