import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import type { Node } from '../apis/core/types.gen.ts'
import { randomInteger, seededRandom } from '../base/random.ts'
import { nothingSelector, selectorFromLabels } from '../machinery/meta/labels.ts'
import { PodMemory } from './alike.ts'
import type { Plugin } from './framework.ts'
import { podInfoOf } from './pod-info.ts'
import { type PreemptionResult, preempt } from './preempt.ts'
import { defaultProfile } from './profile.ts'
import { type Decision, schedule } from './schedule.ts'
import { ClusterState } from './snapshot.ts'
import { infoOf, nodeOf, podOf, type TestPod } from './test-objects.ts'
import { NO_VOLUMES } from './volume-lookups.ts'

type Chance = (bound: number) => number

const TAINT = { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' as const }
const SOFT_TAINT = { key: 'old', effect: 'PreferNoSchedule' as const }

test('a decision from memory is the decision without memory, whatever happens between attempts', () => {
  for (let seed = 1; seed <= 16; seed++) liveThrough(seed)
})

/** A random life of a cluster in which pods of a few kinds are scheduled both ways. */
function liveThrough(seed: number): void {
  const random = seededRandom(seed)
  const chance: Chance = (bound) => randomInteger(random, bound)
  const teams = new Map([
    ['default', 'a'],
    ['other', 'b'],
  ])
  let served = 'a0'
  const state = new ClusterState({
    volumes: NO_VOLUMES,
    namespaceLabels: (name) => ({ team: teams.get(name) ?? '' }),
    siblings: ({ labels }) => (labels.app === served ? selectorFromLabels({ app: served }) : nothingSelector),
  })
  const memory = new PodMemory(defaultProfile)
  const kinds = Array.from({ length: 5 }, () => randomPod(chance))
  const nodes = new Set<string>()
  const placed: string[] = []
  const setNode = (name: string) => {
    nodes.add(name)
    state.setNode(randomNode(name, chance))
  }
  // From 100 nodes on not all are looked at.
  const nodesMax = seed % 4 === 0 ? 120 : 8
  for (let index = 0; index < nodesMax; index++) setNode(`n${index}`)
  let startIndex = 0
  for (let step = 0; step < 60; step++) {
    const [victim] = placed.length > 0 && chance(4) === 0 ? placed.splice(chance(placed.length), 1) : []
    if (victim) state.removePod(victim)
    if (chance(6) === 0) setNode(`n${chance(nodesMax + 3)}`)
    const gone = [...nodes][chance(nodes.size)]
    if (gone && chance(15) === 0) {
      nodes.delete(gone)
      state.removeNode(gone)
    }
    if (chance(20) === 0) {
      teams.set('other', chance(2) === 0 ? 'a' : 'b')
      memory.clear()
    }
    if (chance(20) === 0) served = `a${chance(3)}`
    const kind = kinds[chance(kinds.length)] ?? {}
    const own = chance(3) === 0 ? forNode(kind, `n${chance(nodesMax)}`) : kind
    const fields = { ...own, name: `p${step}`, labels: { ...own.labels, step: String(step) } }
    const pick = chance(1000)
    const decide = (known?: PodMemory) => decisionOn(state, fields, { startIndex, pick }, known)
    const decision = decide(memory)
    const plain = decide()
    if (!isDeepStrictEqual(decision, plain)) expect(decision, `seed ${seed}, step ${step}`).toEqual(plain)
    startIndex = decision.nextIndex
    if (decision.result !== 'assigned') {
      const evict = (known?: PodMemory) =>
        preempt(infoOf(fields), state.snapshot(), defaultProfile, decision.rejected, [], known)
      // The plain way looks at all nodes for each victim: that takes its time in the large clusters.
      if (nodesMax < 100) expect(namesOf(evict(memory)), `seed ${seed}, step ${step}`).toEqual(namesOf(evict()))
      continue
    }
    const pod = podOf(fields)
    placed.push(pod.metadata.uid ?? '')
    state.assume(infoOf(fields), decision.nodeName)
    const deletionTimestamp = chance(5) === 0 ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}
    const spec = pod.spec && { ...pod.spec, nodeName: decision.nodeName }
    const shown = chance(4)
    if (shown < 2) state.setPod(podInfoOf({ metadata: { ...pod.metadata, ...deletionTimestamp }, spec }))
    else if (shown === 2) state.confirm(pod.metadata.uid ?? '')
  }
}

/** As pods of a daemon set are, each with a node of its own. */
function forNode(kind: TestPod, node: string): TestPod {
  const matchFields = [{ key: 'metadata.name', operator: 'In' as const, values: [node] }]
  const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } }
  const { affinity } = kind.spec ?? {}
  const nodeAffinity = { ...affinity?.nodeAffinity, ...required }
  return { ...kind, spec: { ...kind.spec, affinity: { ...affinity, nodeAffinity } } }
}

function decisionOn(
  state: ClusterState,
  fields: TestPod,
  { startIndex, pick }: { readonly startIndex: number; readonly pick: number },
  memory?: PodMemory,
): Decision & { readonly ties: readonly number[] } {
  const ties: number[] = []
  const chance = {
    startIndex,
    pick: (bound: number) => {
      ties.push(bound)
      return pick % bound
    },
  }
  return { ...schedule(infoOf(fields), state.snapshot(), defaultProfile, chance, memory), ties }
}

function namesOf({ chosen, reasons }: PreemptionResult) {
  return { node: chosen?.nodeName, victims: chosen?.victims.map(({ key }) => key), reasons }
}

function randomNode(name: string, chance: Chance): Node {
  return nodeOf(name, {
    cpu: `${1 + chance(4)}`,
    memory: `${1 + chance(4)}Gi`,
    pods: `${3 + chance(10)}`,
    labels: chance(6) === 0 ? {} : { 'topology.kubernetes.io/zone': `z${chance(3)}`, rack: `r${chance(4)}` },
    taints: [...(chance(5) === 0 ? [TAINT] : []), ...(chance(3) === 0 ? [SOFT_TAINT] : [])],
    unschedulable: chance(10) === 0,
    images: chance(3) === 0 ? { 'app:1': 500_000_000, 'big:2': chance(2) * 900_000_000 } : {},
  })
}

function randomPod(chance: Chance): TestPod {
  const maybe = <T>(value: T, odds = 3): T | undefined => (chance(odds) === 0 ? value : undefined)
  const keys = ['topology.kubernetes.io/zone', 'rack', 'kubernetes.io/hostname']
  const topologyKey = () => keys[chance(keys.length)] ?? ''
  // Each pod has its own step: few ask for it.
  const labelSelector = () =>
    chance(20) === 0
      ? { matchExpressions: [{ key: 'step', operator: 'In' as const, values: ['7', '8', '9'] }] }
      : { matchLabels: { app: `a${chance(3)}` } }
  const namespaceSelector = () => ({ matchLabels: { team: 'a' } })
  const term = () => ({
    labelSelector: labelSelector(),
    topologyKey: topologyKey(),
    ...(chance(4) === 0 ? { namespaceSelector: namespaceSelector() } : {}),
  })
  const weighted = () => ({ weight: 1 + chance(100), podAffinityTerm: term() })
  const terms = (required: number) => ({
    requiredDuringSchedulingIgnoredDuringExecution: chance(required) === 0 ? [term()] : [],
    preferredDuringSchedulingIgnoredDuringExecution: chance(3) === 0 ? [weighted(), weighted()] : [],
  })
  const spread = () => ({
    topologyKey: topologyKey(),
    labelSelector: labelSelector(),
    maxSkew: 1 + chance(3),
    whenUnsatisfiable: chance(2) === 0 ? ('DoNotSchedule' as const) : ('ScheduleAnyway' as const),
    ...(chance(3) === 0 ? { nodeTaintsPolicy: 'Honor' as const } : {}),
    ...(chance(6) === 0 ? { matchLabelKeys: ['step'] } : {}),
    ...(chance(3) === 0 ? { nodeAffinityPolicy: 'Ignore' as const } : {}),
    ...(chance(4) === 0 ? { minDomains: 3, whenUnsatisfiable: 'DoNotSchedule' as const } : {}),
  })
  const inZone = (operator: 'In' | 'NotIn') => ({
    matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator, values: ['z0', 'z1'] }],
  })
  const nodeSelectorTerms = [
    chance(4) === 0
      ? { matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: ['n1', 'n2'] }] }
      : inZone('In'),
  ]
  const nodeAffinity = {
    ...maybe({ requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } }),
    ...maybe({ preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 7, preference: inZone('NotIn') }] }),
  }
  return {
    namespace: chance(3) === 0 ? 'other' : 'default',
    cpu: `${chance(8)}00m`,
    memory: `${chance(4)}00Mi`,
    labels: { app: `a${chance(3)}` },
    image: chance(2) === 0 ? 'app:1' : 'big:2',
    ...maybe({ hostPort: 80 + chance(2) }, 5),
    priority: chance(3),
    spec: {
      ...maybe({ nodeSelector: { rack: `r${chance(4)}` } }, 6),
      ...maybe({ tolerations: [{ key: 'dedicated', operator: 'Exists' as const }] }),
      ...maybe({ tolerations: [{ operator: 'Exists' as const }] }, 6),
      ...maybe({ topologySpreadConstraints: [spread(), ...(maybe([spread()]) ?? [])] }, 2),
      affinity: { nodeAffinity, ...maybe({ podAffinity: terms(3) }, 2), ...maybe({ podAntiAffinity: terms(2) }, 2) },
    },
  }
}

test('labels make a difference once some pod asks for them', () => {
  const counted: string[] = []
  const counting: Plugin = {
    name: 'Counting',
    prepare: () => ({}),
    count: ({ key }) => {
      counted.push(key)
      return { add: () => {}, prepared: () => ({}) }
    },
  }
  const profile = { schedulerName: 'test', plugins: [{ plugin: counting, weight: 0 }] }
  const state = new ClusterState()
  state.setNode(nodeOf('a'))
  const memory = new PodMemory(profile)
  const replica = (index: number) => infoOf({ name: `web-${index}`, labels: { index: String(index) } })
  const attempt = (index: number) =>
    schedule(replica(index), state.snapshot(), profile, { startIndex: 0, pick: () => 0 }, memory)
  for (const index of [0, 1]) attempt(index)
  expect(counted).toEqual(['default/web-0'])
  const labelSelector = { matchExpressions: [{ key: 'index', operator: 'Exists' as const }] }
  const term = { labelSelector, topologyKey: 'kubernetes.io/hostname' }
  const podAntiAffinity = { requiredDuringSchedulingIgnoredDuringExecution: [term] }
  state.assume(infoOf({ name: 'alone', spec: { affinity: { podAntiAffinity } } }), 'a')
  for (const index of [2, 3]) attempt(index)
  expect(counted).toEqual(['default/web-0', 'default/web-2', 'default/web-3'])
})
