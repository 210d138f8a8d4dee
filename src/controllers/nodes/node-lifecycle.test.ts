import { describe, expect, test } from 'vitest'
import { node, pod } from '../../../test/support/builders.ts'
import { zoneOf } from '../../apis/core/node.ts'
import type { Node, Taint } from '../../apis/core/types.gen.ts'
import type { Plan } from '../runtime/controller.ts'
import { isNodeReady } from './node-conditions.ts'
import { GRACE_MS, type NodeView, nodeLifecycleController, planNode, STARTUP_GRACE_MS } from './node-lifecycle.ts'
import { wantedTaints } from './node-taints.ts'
import { type Disruption, nextEvictionMs, type ZoneView, zoneView } from './zones.ts'

const NOW = Date.UTC(2026, 0, 1)
const TIME = '2026-01-01T00:00:00Z'
const CALM: ZoneView = { disruption: 'normal', nodes: 2, lastEvictionMs: undefined }

const nodeWith = (conditions: Readonly<Record<string, string>>, spec: Node['spec'] = {}, name = 'n'): Node =>
  node({
    metadata: { name, uid: name },
    spec,
    status: { conditions: Object.entries(conditions).map(([type, status]) => ({ type, status })) },
  })

const view = (of: Node, parts: Partial<NodeView> = {}): NodeView => ({
  node: of,
  seenMs: NOW,
  isNew: false,
  zone: CALM,
  pods: [],
  ...parts,
})

const kinds = ({ actions }: Plan) => actions.map((action) => (action.do === 'event' ? action.event.reason : action.do))
const conditionsIn = ({ actions }: Plan) =>
  actions.flatMap((action) => (action.do === 'update-status' ? ((action.object as Node).status?.conditions ?? []) : []))

describe('heartbeats', () => {
  const ready = nodeWith({ Ready: 'True' })
  test('a node that gives a sign of life in time is left alone', () => {
    expect(planNode(view(ready), NOW + GRACE_MS - 1)).toEqual({ actions: [], requeueAfterMs: 1 })
  })
  test('a silent node turns unknown, with an event', () => {
    const plan = planNode(view(ready), NOW + GRACE_MS)
    expect(kinds(plan)).toEqual(['update-status', 'NodeNotReady'])
    expect(conditionsIn(plan).map(({ type, status, reason }) => [type, status, reason])).toEqual([
      ['Ready', 'Unknown', 'NodeStatusUnknown'],
      ['MemoryPressure', 'Unknown', 'NodeStatusNeverUpdated'],
      ['DiskPressure', 'Unknown', 'NodeStatusNeverUpdated'],
      ['PIDPressure', 'Unknown', 'NodeStatusNeverUpdated'],
    ])
  })
  test('a node that was not ready before turns unknown without an event, and what others report stays', () => {
    const plan = planNode(view(nodeWith({ NetworkUnavailable: 'False', Ready: 'False' })), NOW + GRACE_MS)
    expect(kinds(plan)).toEqual(['update-status'])
    expect(conditionsIn(plan)[0]).toEqual({ type: 'NetworkUnavailable', status: 'False' })
  })
  test('a node that never reported has longer', () => {
    const fresh = nodeWith({})
    expect(kinds(planNode(view(fresh), NOW + GRACE_MS))).toEqual([])
    expect(kinds(planNode(view(fresh), NOW + STARTUP_GRACE_MS))).toEqual(['update-status'])
  })
  test('a new node is announced', () => {
    const { actions } = planNode(view(ready, { isNew: true }), NOW)
    expect(actions).toMatchObject([{ event: { message: 'Node n event: Registered Node n in Controller' } }])
  })
  test('pods of a node that is not ready are not ready either', () => {
    const held = pod({ status: { conditions: [{ type: 'Ready', status: 'True' }] } })
    const plan = planNode(view(nodeWith({ Ready: 'False' }), { pods: [held, pod()] }), NOW)
    expect(kinds(plan)).toEqual(['update', 'update-status', 'NodeNotReady'])
  })
})

describe('taints', () => {
  const text = (taints: readonly Taint[]) => taints.map(({ key, effect }) => `${key.split('/').at(-1)}:${effect}`)
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, Node['spec'], readonly string[]])[] = [
    ['a ready node has none', { Ready: 'True' }, {}, []],
    [
      'a node that is not ready keeps pods away and lets them leave',
      { Ready: 'False' },
      {},
      ['not-ready:NoSchedule', 'not-ready:NoExecute'],
    ],
    ['so does one that does not answer', { Ready: 'Unknown' }, {}, ['unreachable:NoSchedule', 'unreachable:NoExecute']],
    [
      'pressure keeps pods away',
      { Ready: 'True', MemoryPressure: 'True', DiskPressure: 'True', PIDPressure: 'True' },
      {},
      ['memory-pressure:NoSchedule', 'disk-pressure:NoSchedule', 'pid-pressure:NoSchedule'],
    ],
    ['a cordon is a taint', { Ready: 'True' }, { unschedulable: true }, ['unschedulable:NoSchedule']],
    [
      'others keep theirs',
      { Ready: 'True' },
      {
        taints: [
          { key: 'example.com/gpu', effect: 'NoExecute' },
          { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
        ],
      },
      ['gpu:NoExecute'],
    ],
    [
      'a node that has not reported keeps what it was created with',
      {},
      { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] },
      ['not-ready:NoSchedule'],
    ],
  ]
  test.each(cases)('%s', (_, conditions, spec, expected) => {
    expect(text(wantedTaints(nodeWith(conditions, spec), CALM, NOW).taints)).toEqual(expected)
  })
  test('a taint that stays keeps its time', () => {
    const before = [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' as const, timeAdded: TIME }]
    const { taints } = wantedTaints(nodeWith({ Ready: 'Unknown' }, { taints: before }), CALM, NOW + 60_000)
    expect(taints).toEqual([
      ...before,
      { key: before[0]?.key, effect: 'NoSchedule', timeAdded: '2026-01-01T00:01:00Z' },
    ])
  })
  test('one node after the other is emptied', () => {
    const zone = { ...CALM, lastEvictionMs: NOW }
    const silent = nodeWith({ Ready: 'Unknown' })
    const soon = wantedTaints(silent, zone, NOW + 3_000)
    expect([text(soon.taints), soon.evictionAtMs]).toEqual([['unreachable:NoSchedule'], NOW + 10_000])
    expect(text(wantedTaints(silent, zone, NOW + 10_000).taints)).toContain('unreachable:NoExecute')
  })
  test('also when the decision before is not stored yet, as others are being made', () => {
    const { plan } = nodeLifecycleController()
    const evicts = (name: string, nowMs: number) =>
      plan(view(nodeWith({ Ready: 'Unknown' }, {}, name)), nowMs).actions.some(
        (action) => action.do === 'update' && text((action.object as Node).spec?.taints ?? []).length === 2,
      )
    const later = NOW + 10_000
    expect([evicts('a', NOW), evicts('b', NOW), evicts('b', later), evicts('c', later)]).toEqual([
      true,
      false,
      true,
      false,
    ])
  })
  test('when nobody answers any more, what made pods leave is taken back', () => {
    const tainted = nodeWith(
      { Ready: 'Unknown' },
      { taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }] },
    )
    expect(text(wantedTaints(tainted, { ...CALM, disruption: 'all' }, NOW).taints)).toEqual(['unreachable:NoSchedule'])
  })
})

describe('zones', () => {
  const inZone = (zone: string, count: number, ready: string) =>
    Array.from({ length: count }, (_, index) => {
      const made = nodeWith({ Ready: ready }, {}, `${zone}-${ready}-${index}`)
      return { ...made, metadata: { ...made.metadata, labels: { 'topology.kubernetes.io/zone': zone } } }
    })
  const zoneOfFirst = (all: readonly Node[]) => {
    const zones = all.map(zoneOf)
    return zoneView(
      all.filter((_, index) => zones[index] === zones[0]),
      all.some(isNodeReady),
    )
  }
  const cases: readonly (readonly [string, readonly Node[], Disruption])[] = [
    ['one of two is silent', [...inZone('a', 1, 'Unknown'), ...inZone('a', 1, 'True')], 'normal'],
    ['most of many are silent', [...inZone('a', 3, 'Unknown'), ...inZone('a', 2, 'True')], 'partial'],
    ['a whole zone is silent', [...inZone('a', 2, 'Unknown'), ...inZone('b', 1, 'True')], 'full'],
    ['everybody is silent', [...inZone('a', 2, 'Unknown'), ...inZone('b', 1, 'False')], 'all'],
  ]
  test.each(cases)('%s', (_, all, expected) => {
    expect(zoneOfFirst(all).disruption).toBe(expected)
  })
  test.each<[string, Disruption, number, number | undefined]>([
    ['a silent zone is emptied at the usual pace', 'full', 3, NOW + 10_000],
    ['a small zone that is mostly silent is left alone', 'partial', 50, undefined],
    ['a large one is emptied slowly', 'partial', 51, NOW + 100_000],
    ['nothing is emptied when everybody is silent', 'all', 3, undefined],
  ])('%s', (_, disruption, nodes, expected) => {
    expect(nextEvictionMs({ disruption, nodes, lastEvictionMs: NOW })).toBe(expected)
  })
  test('the last eviction of the zone counts', () => {
    const [first, second] = inZone('a', 2, 'Unknown')
    const taints: readonly Taint[] = [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: TIME }]
    const all = [first, second && { ...second, spec: { taints } }].filter((each) => each !== undefined)
    expect(zoneOfFirst(all).lastEvictionMs).toBe(NOW)
  })
})
