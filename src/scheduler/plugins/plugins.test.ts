import { describe, expect, test } from 'vitest'
import type { Plugin } from '../framework.ts'
import type { PodInfo } from '../pod-info.ts'
import { type NodeInfo, snapshotOf } from '../snapshot.ts'
import { clusterOf, infoOf, nodeInfo } from '../test-objects.ts'
import { nodeResourcesBalancedAllocation } from './balanced-allocation.ts'
import { imageLocality } from './image-locality.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { nodeResourcesFit } from './node-resources.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import { podTopologySpread } from './pod-topology-spread.ts'
import { schedulingGates } from './scheduling-gates.ts'
import { taintToleration } from './taint-toleration.ts'

/** Per node: the reasons against it, `ok` when there are none. */
function verdicts(plugin: Plugin, pod: PodInfo, nodes: readonly NodeInfo[]): readonly string[] {
  const prepared = plugin.prepare(pod, clusterOf(...nodes))
  return nodes.map((node) => (prepared.everywhere ?? prepared.filter?.(node))?.reasons.join(', ') ?? 'ok')
}

function scores(plugin: Plugin, pod: PodInfo, nodes: readonly NodeInfo[]): readonly number[] {
  const scoring = plugin.prepare(pod, clusterOf(...nodes)).scoring?.(nodes)
  if (!scoring) return nodes.map(() => 0)
  const raw = nodes.map((node) => scoring.score(node))
  return scoring.normalize?.(raw, nodes) ?? raw
}

const zone = (name: string) => ({ labels: { zone: name } })
const web = { labels: { app: 'web' } }
const selector = { matchLabels: { app: 'web' } }
const dedicated = { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' } as const

const requires = (key: string, operator: string, values?: readonly string[]) => ({
  spec: {
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key, operator: operator as 'In', ...(values ? { values } : {}) }] },
          ],
        },
      },
    },
  },
})
const near = {
  podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: selector, topologyKey: 'zone' }] },
}
const away = { podAntiAffinity: near.podAffinity }
const spread = (fields: object = {}) => ({
  ...web,
  spec: {
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'zone',
        whenUnsatisfiable: 'DoNotSchedule' as const,
        labelSelector: selector,
        ...fields,
      },
    ],
  },
})

describe('filters', () => {
  const TAINT = 'node(s) had untolerated taint(s)'
  const AFFINITY = "node(s) didn't match Pod's node affinity/selector"
  const SPREAD = "node(s) didn't match pod topology spread constraints"
  const cases: readonly (readonly [string, Plugin, PodInfo, readonly NodeInfo[], readonly string[]])[] = [
    [
      'room for every request, and for one more pod',
      nodeResourcesFit,
      infoOf({ cpu: '2', memory: '1Gi' }),
      [
        nodeInfo('free'),
        nodeInfo('busy', {}, [infoOf({ name: 'a', cpu: '3' })]),
        nodeInfo('tiny', { cpu: '1', memory: '512Mi' }),
        nodeInfo('full', { pods: '1' }, [infoOf({ name: 'b' })]),
      ],
      ['ok', 'Insufficient cpu', 'Insufficient cpu, Insufficient memory', 'Too many pods'],
    ],
    [
      'extended resources',
      nodeResourcesFit,
      infoOf({ spec: { containers: [{ name: 'm', resources: { requests: { 'example.com/gpu': '1' } } }] } }),
      [nodeInfo('plain')],
      ['Insufficient example.com/gpu'],
    ],
    [
      'cordoned nodes',
      nodeUnschedulable,
      infoOf(),
      [nodeInfo('open'), nodeInfo('cordoned', { unschedulable: true })],
      ['ok', 'node(s) were unschedulable'],
    ],
    [
      'the node that is named',
      nodeName,
      infoOf({ spec: { containers: [], nodeName: 'a' } }),
      [nodeInfo('a'), nodeInfo('b')],
      ['ok', "node(s) didn't match the requested node name"],
    ],
    [
      'taints without toleration',
      taintToleration,
      infoOf(),
      [
        nodeInfo('a', { taints: [dedicated] }),
        nodeInfo('b', { taints: [{ key: 'soft', effect: 'PreferNoSchedule' }] }),
      ],
      [TAINT, 'ok'],
    ],
    [
      'taints with toleration',
      taintToleration,
      infoOf({ spec: { tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'gpu' }] } }),
      [nodeInfo('a', { taints: [dedicated] }), nodeInfo('b', { taints: [{ ...dedicated, value: 'cpu' }] })],
      ['ok', TAINT],
    ],
    [
      'the node selector',
      nodeAffinity,
      infoOf({ spec: { nodeSelector: { zone: 'a' } } }),
      [nodeInfo('x', zone('a')), nodeInfo('y', zone('b')), nodeInfo('z')],
      ['ok', AFFINITY, AFFINITY],
    ],
    [
      'required node affinity: In',
      nodeAffinity,
      infoOf(requires('zone', 'In', ['a', 'b'])),
      [nodeInfo('x', zone('b')), nodeInfo('y', zone('c'))],
      ['ok', AFFINITY],
    ],
    [
      'required node affinity: NotIn takes nodes without the label',
      nodeAffinity,
      infoOf(requires('zone', 'NotIn', ['a'])),
      [nodeInfo('x', zone('a')), nodeInfo('y')],
      [AFFINITY, 'ok'],
    ],
    [
      'required node affinity: Gt compares numbers',
      nodeAffinity,
      infoOf(requires('cores', 'Gt', ['9'])),
      [
        nodeInfo('x', { labels: { cores: '10' } }),
        nodeInfo('y', { labels: { cores: '9' } }),
        nodeInfo('z', { labels: { cores: 'many' } }),
      ],
      ['ok', AFFINITY, AFFINITY],
    ],
    [
      'host ports',
      nodePorts,
      infoOf({ hostPort: 80 }),
      [
        nodeInfo('a', {}, [infoOf({ name: 'other', hostPort: 80 })]),
        nodeInfo('b', {}, [infoOf({ name: 'other', hostPort: 81 })]),
      ],
      ["node(s) didn't have free ports for the requested pod ports", 'ok'],
    ],
    [
      'pod affinity',
      interPodAffinity,
      infoOf({ name: 'new', spec: { affinity: near } }),
      [
        nodeInfo('a1', zone('a'), [infoOf({ name: 'there', ...web })]),
        nodeInfo('a2', zone('a')),
        nodeInfo('b', zone('b')),
        nodeInfo('c'),
      ],
      ['ok', 'ok', "node(s) didn't match pod affinity rules", "node(s) didn't match pod affinity rules"],
    ],
    [
      'pod affinity of the first of a group',
      interPodAffinity,
      infoOf({ name: 'first', ...web, spec: { affinity: near } }),
      [nodeInfo('a', zone('a')), nodeInfo('without')],
      ['ok', "node(s) didn't match pod affinity rules"],
    ],
    [
      'pod anti-affinity',
      interPodAffinity,
      infoOf({ name: 'new', spec: { affinity: away } }),
      [nodeInfo('a', zone('a'), [infoOf({ name: 'there', ...web })]), nodeInfo('b', zone('b'))],
      ["node(s) didn't match pod anti-affinity rules", 'ok'],
    ],
    [
      'anti-affinity of pods that are there',
      interPodAffinity,
      infoOf({ name: 'new', ...web }),
      [nodeInfo('a', zone('a'), [infoOf({ name: 'there', spec: { affinity: away } })]), nodeInfo('b', zone('b'))],
      ["node(s) didn't satisfy existing pods anti-affinity rules", 'ok'],
    ],
    [
      'affinity looks at its own namespace only',
      interPodAffinity,
      infoOf({ name: 'new', spec: { affinity: away } }),
      [nodeInfo('a', zone('a'), [infoOf({ name: 'there', namespace: 'elsewhere', ...web })])],
      ['ok'],
    ],
    [
      'affinity with a namespace selector looks at all that match',
      interPodAffinity,
      infoOf({
        name: 'new',
        spec: {
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                { labelSelector: selector, topologyKey: 'zone', namespaceSelector: {} },
              ],
            },
          },
        },
      }),
      [nodeInfo('a', zone('a'), [infoOf({ name: 'there', namespace: 'elsewhere', ...web })])],
      ["node(s) didn't match pod anti-affinity rules"],
    ],
    [
      'spreading over zones',
      podTopologySpread,
      infoOf({ name: 'new', ...spread() }),
      [nodeInfo('a', zone('a'), [infoOf({ name: 'there', ...web })]), nodeInfo('b', zone('b')), nodeInfo('c')],
      [SPREAD, 'ok', `${SPREAD} (missing required label)`],
    ],
    [
      'too few domains count as an empty one',
      podTopologySpread,
      infoOf({ name: 'new', ...spread({ minDomains: 2 }) }),
      [nodeInfo('a', zone('a'), [infoOf({ name: 'there', ...web })])],
      [SPREAD],
    ],
    [
      'domains that node affinity excludes do not count',
      podTopologySpread,
      infoOf({ name: 'new', ...web, spec: { ...spread().spec, nodeSelector: { zone: 'a' } } }),
      [nodeInfo('a', zone('a'), [infoOf({ name: 'there', ...web })]), nodeInfo('b', zone('b'))],
      ['ok', 'ok'],
    ],
    [
      'gates',
      schedulingGates,
      infoOf({ spec: { schedulingGates: [{ name: 'example.com/wait' }] } }),
      [nodeInfo('a')],
      ['waiting for scheduling gates: [example.com/wait]'],
    ],
  ]
  for (const [name, plugin, pod, nodes, expected] of cases) {
    test(`${plugin.name}: ${name}`, () => expect(verdicts(plugin, pod, nodes)).toEqual(expected))
  }
})

describe('scores', () => {
  const GIBIBYTE = 2 ** 30
  const cases: readonly (readonly [string, Plugin, PodInfo, readonly NodeInfo[], readonly number[]])[] = [
    [
      'more room left is better',
      nodeResourcesFit,
      infoOf({ cpu: '1', memory: '2Gi' }),
      [nodeInfo('free'), nodeInfo('busy', {}, [infoOf({ name: 'a', cpu: '2', memory: '4Gi' })])],
      [75, 25],
    ],
    [
      'an even use is better',
      nodeResourcesBalancedAllocation,
      infoOf({ cpu: '1', memory: '2Gi' }),
      [nodeInfo('even'), nodeInfo('uneven', {}, [infoOf({ name: 'a', cpu: '2' })])],
      [100, 75],
    ],
    [
      'fewer soft taints are better',
      taintToleration,
      infoOf(),
      [nodeInfo('none'), nodeInfo('one', { taints: [{ key: 'soft', effect: 'PreferNoSchedule' }] })],
      [100, 0],
    ],
    [
      'preferred node affinity adds weights',
      nodeAffinity,
      infoOf({
        spec: {
          affinity: {
            nodeAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                { weight: 30, preference: { matchExpressions: [{ key: 'zone', operator: 'Exists' }] } },
                { weight: 10, preference: { matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] } },
              ],
            },
          },
        },
      }),
      [nodeInfo('a', zone('a')), nodeInfo('b', zone('b')), nodeInfo('c')],
      [100, 75, 0],
    ],
    [
      'a large image that is there is better',
      imageLocality,
      infoOf({ image: 'big' }),
      [nodeInfo('has', { images: { 'big:latest': GIBIBYTE } }), nodeInfo('lacks')],
      [50, 0],
    ],
    [
      'preferred anti-affinity keeps away',
      interPodAffinity,
      infoOf({
        name: 'new',
        spec: {
          affinity: {
            podAntiAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                { weight: 100, podAffinityTerm: { labelSelector: selector, topologyKey: 'zone' } },
              ],
            },
          },
        },
      }),
      [nodeInfo('a', zone('a'), [infoOf({ name: 'there', ...web })]), nodeInfo('b', zone('b'))],
      [0, 100],
    ],
    [
      'without constraints, pods of one workload are spread over nodes',
      podTopologySpread,
      infoOf({ name: 'new', ...web }),
      [nodeInfo('a', {}, [infoOf({ name: 'there', ...web })]), nodeInfo('b')],
      [66, 100],
    ],
    [
      'soft spreading prefers the emptier domain',
      podTopologySpread,
      infoOf({ name: 'new', ...spread({ whenUnsatisfiable: 'ScheduleAnyway' }) }),
      [nodeInfo('a', zone('a'), [infoOf({ name: 'there', ...web })]), nodeInfo('b', zone('b'))],
      [0, 100],
    ],
  ]
  for (const [name, plugin, pod, nodes, expected] of cases) {
    test(`${plugin.name}: ${name}`, () => expect(scores(plugin, pod, nodes)).toEqual(expected))
  }
})

test('a daemon pod, which names its node by field, looks at no other', () => {
  const pod = infoOf({
    spec: {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }],
          },
        },
      },
    },
  })
  expect(nodeAffinity.prepare(pod, snapshotOf([])).only).toEqual(new Set(['b']))
})

describe('wake-ups', () => {
  const pod = infoOf({ cpu: '2' })
  const cases: readonly (readonly [string, boolean, boolean | undefined])[] = [
    [
      'a pod that leaves',
      true,
      nodeResourcesFit.wakes?.(pod, { resource: 'pods', action: 'delete', pod: infoOf({ cpu: '1' }) }),
    ],
    [
      'a pod that arrives',
      false,
      nodeResourcesFit.wakes?.(pod, { resource: 'pods', action: 'add', pod: infoOf({ cpu: '1' }) }),
    ],
    [
      'a node that grows',
      true,
      nodeResourcesFit.wakes?.(pod, {
        resource: 'nodes',
        action: 'update',
        node: nodeInfo('a', { cpu: '8' }),
        previous: nodeInfo('a'),
      }),
    ],
    [
      'a node of which only labels change',
      false,
      nodeResourcesFit.wakes?.(pod, {
        resource: 'nodes',
        action: 'update',
        node: nodeInfo('a', zone('a')),
        previous: nodeInfo('a'),
      }),
    ],
  ]
  for (const [event, expected, actual] of cases) {
    test(`${event} ${expected ? 'may' : 'does not'} make room`, () => expect(actual).toBe(expected))
  }
})
