import { describe, expect, test } from 'vitest'
import { randomInteger, seededRandom } from '../base/random.ts'
import { withoutPreemption, withPreemption } from './fit-message.ts'
import { firstRejection, preparePlugins } from './judge.ts'
import { mayPreempt, preempt } from './preempt.ts'
import { defaultProfile } from './profile.ts'
import { type Decision, nodesToFind, schedule } from './schedule.ts'
import type { Snapshot } from './snapshot.ts'
import { explainNodes } from './suggest.ts'
import { clusterOf, infoOf, nodeInfo, type TestPod } from './test-objects.ts'

const first = { startIndex: 0, pick: () => 0 }
const decide = (pod: TestPod, snapshot: Snapshot): Decision => schedule(infoOf(pod), snapshot, defaultProfile, first)
const taints = [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' as const }]

describe('a decision', () => {
  test('is the best of the nodes that fit', () => {
    const busy = nodeInfo('busy', {}, [infoOf({ name: 'a', cpu: '3' })])
    const cluster = clusterOf(busy, nodeInfo('free'), nodeInfo('tainted', { taints }))
    expect(decide({ name: 'new', cpu: '500m' }, cluster)).toMatchObject({ result: 'assigned', nodeName: 'free' })
  })

  test('counts the reasons of all nodes', () => {
    const cluster = clusterOf(nodeInfo('a', { cpu: '1' }), nodeInfo('b', { taints }), nodeInfo('c', { taints }))
    expect(decide({ cpu: '2' }, cluster)).toMatchObject({
      result: 'unschedulable',
      message: '0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s).',
      plugins: new Set(['NodeResourcesFit', 'TaintToleration']),
    })
  })

  test('says so when there are no nodes', () => {
    expect(decide({}, clusterOf())).toMatchObject({ message: 'no nodes available to schedule pods' })
  })

  test('breaks ties by chance, and starts where the one before stopped', () => {
    const cluster = clusterOf(nodeInfo('a'), nodeInfo('b'), nodeInfo('c'))
    const pick = (index: number) => schedule(infoOf(), cluster, defaultProfile, { startIndex: 1, pick: () => index })
    expect(
      [0, 1, 2].map((index) => pick(index)).map((decision) => 'nodeName' in decision && decision.nodeName),
    ).toEqual(['b', 'c', 'a'])
    expect(pick(0).nextIndex).toBe(1)
  })

  test('looks at a part of a large cluster only', () => {
    expect([50, 99, 100, 1000, 5000, 10_000].map(nodesToFind)).toEqual([50, 99, 100, 420, 500, 500])
  })

  test('of any random cluster never breaks a filter', () => {
    const random = seededRandom(7)
    const chance = (bound: number) => randomInteger(random, bound)
    for (let round = 0; round < 200; round++) {
      const pods = Array.from({ length: chance(6) }, (_, index) =>
        infoOf({ name: `p${index}`, cpu: `${chance(3)}`, labels: { app: `a${chance(2)}` } }),
      )
      const nodes = Array.from({ length: 1 + chance(6) }, (_, index) =>
        nodeInfo(
          `n${index}`,
          {
            cpu: `${1 + chance(4)}`,
            labels: { zone: `z${chance(3)}` },
            taints: chance(4) === 0 ? taints : [],
            unschedulable: chance(8) === 0,
          },
          pods.filter(() => chance(3) === 0),
        ),
      )
      const cluster = clusterOf(...nodes)
      const labelSelector = { matchLabels: { app: `a${chance(2)}` } }
      const term = { labelSelector, topologyKey: 'zone' }
      const pod = infoOf({
        name: 'new',
        cpu: `${1 + chance(3)}`,
        labels: { app: `a${chance(2)}` },
        spec: {
          ...(chance(3) === 0 ? { nodeSelector: { zone: `z${chance(3)}` } } : {}),
          affinity:
            chance(2) === 0 ? { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } : {},
          topologySpreadConstraints:
            chance(2) === 0 ? [{ ...term, maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' as const }] : [],
        },
      })
      const decision = schedule(pod, cluster, defaultProfile, { startIndex: chance(nodes.length), pick: chance })
      const plugins = preparePlugins(pod, cluster, defaultProfile)
      const fitting = nodes.filter((node) => firstRejection(plugins, node) === undefined).map(({ name }) => name)
      if (decision.result === 'assigned') expect(fitting).toContain(decision.nodeName)
      else expect(fitting).toEqual([])
    }
  })
})

describe('preemption', () => {
  const low = (name: string, cpu: string, priority = 0) => infoOf({ name, cpu, priority })
  const attempt = (
    snapshot: Snapshot,
    budgets: Parameters<typeof preempt>[4] = [],
    pod = infoOf({ name: 'vip', cpu: '2', priority: 100 }),
  ) => {
    const decision = schedule(pod, snapshot, defaultProfile, first)
    return preempt(pod, snapshot, defaultProfile, decision.rejected, budgets)
  }

  test('takes the fewest and least important pods', () => {
    const cluster = clusterOf(
      nodeInfo('a', {}, [low('a1', '2', 10), low('a2', '2', 20)]),
      nodeInfo('b', {}, [low('b1', '2', 5), low('b2', '2', 50)]),
    )
    const { chosen } = attempt(cluster)
    expect([chosen?.nodeName, chosen?.victims.map(({ key }) => key)]).toEqual(['b', ['default/b1']])
  })

  test('would rather not break a budget', () => {
    const cluster = clusterOf(nodeInfo('a', {}, [low('a1', '4', 1)]), nodeInfo('b', {}, [low('b1', '4', 9)]))
    const budget = {
      namespace: 'default',
      allowed: 0,
      matches: ({ key }: { readonly key: string }) => key === 'default/a1',
    }
    expect(attempt(cluster, [budget]).chosen?.nodeName).toBe('b')
  })

  test('says why it does not help', () => {
    const cluster = clusterOf(
      nodeInfo('a', {}, [low('a1', '4', 100)]),
      nodeInfo('b', { taints }),
      nodeInfo('c', { cpu: '1' }),
    )
    const { chosen, reasons } = attempt(cluster)
    expect(chosen).toBeUndefined()
    expect(withPreemption('0/3 nodes are available: …', 3, reasons)).toBe(
      '0/3 nodes are available: … no new claims to deallocate, preemption: 0/3 nodes are available: ' +
        '1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.',
    )
    expect(withoutPreemption('0/1 nodes are available: 1 Insufficient cpu.')).toBe(
      '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.',
    )
  })

  test('waits for victims that are leaving already', () => {
    const leaving = infoOf({ name: 'old' })
    const gone = {
      ...leaving,
      pod: { ...leaving.pod, metadata: { ...leaving.pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
    }
    const cluster = clusterOf(nodeInfo('a', {}, [gone]), nodeInfo('b'))
    const vip = infoOf({ name: 'vip', priority: 1 })
    expect([mayPreempt(vip, cluster, 'a'), mayPreempt(vip, cluster, 'b'), mayPreempt(vip, cluster, undefined)]).toEqual(
      [false, true, true],
    )
  })
})

test('explains every node and suggests the smallest change that fits', () => {
  const cluster = clusterOf(
    nodeInfo('node-0', {}, [infoOf({ name: 'a', cpu: '2600m' })]),
    nodeInfo('node-1', { taints }, [infoOf({ name: 'b', cpu: '3700m' })]),
    nodeInfo('node-2', { unschedulable: true }),
  )
  expect(explainNodes(infoOf({ name: 'api', cpu: '2' }), cluster, defaultProfile)).toEqual({
    nodes: [
      {
        node: 'node-0',
        fits: false,
        findings: [{ plugin: 'NodeResourcesFit', text: 'cpu: wants 2, free 1400m of 4' }],
      },
      {
        node: 'node-1',
        fits: false,
        findings: [
          { plugin: 'TaintToleration', text: 'taint dedicated=gpu:NoSchedule' },
          { plugin: 'NodeResourcesFit', text: 'cpu: wants 2, free 300m of 4' },
        ],
      },
      { node: 'node-2', fits: false, findings: [{ plugin: 'NodeUnschedulable', text: 'cordoned' }] },
    ],
    suggestions: [
      { node: 'node-0', changes: ['lower requests.cpu from 2 to 1400m'] },
      { node: 'node-1', changes: ['tolerate dedicated=gpu', 'lower requests.cpu from 2 to 300m'] },
    ],
  })
})
