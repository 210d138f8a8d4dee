/** What pods ask of the scheduler: the shapes of upstream's scheduler_perf. */

import type { Placement } from './placement.ts'

export interface Family {
  readonly name: string
  readonly pods: number
  /** Fields of the pods' spec besides their container. */
  readonly spec: object
  readonly cpu?: string
  /** Filled with pods of lower priority that have to go: each node holds one of them. */
  readonly preempts?: boolean
  /** Meanwhile nodes, services and pods that fit nowhere come and go. */
  readonly churns?: boolean
  /** What is wrong with where the pods are; nothing: undefined. */
  readonly wrong: (placement: Placement) => string | undefined
}

const GREEN = { matchLabels: { color: 'green' } }
const ZONES = ['zone-1', 'zone-2']
const MAX_SKEW = 5
const NODE = 'kubernetes.io/hostname'
const ZONE = 'topology.kubernetes.io/zone'

const affinity = (kind: 'podAffinity' | 'podAntiAffinity', topologyKey: string) => ({
  affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: GREEN, topologyKey }] } },
})
const onNodes = (term: object) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } },
})
const inZones = { matchExpressions: [{ key: ZONE, operator: 'In', values: ZONES }] }
const byName = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-{i}'] }] }
const spread = { maxSkew: MAX_SKEW, topologyKey: ZONE, whenUnsatisfiable: 'DoNotSchedule', labelSelector: GREEN }

/** A pod of twenty of a node's 32 cores fits on none where a pod of thirty is. */
const LARGE = { low: '30', high: '20' }
export const LOW_CPU = LARGE.low
export const HIGH_PRIORITY = 'bench-high'

const fits = () => undefined

export const FAMILIES: readonly Family[] = [
  { name: 'basic', pods: 2_000, spec: {}, wrong: fits },
  {
    name: 'node affinity',
    pods: 500,
    spec: onNodes(inZones),
    wrong: ({ zones }) => (zones.some(([zone]) => !ZONES.includes(zone)) ? 'a pod is in another zone' : undefined),
  },
  {
    name: 'pod affinity',
    pods: 500,
    spec: affinity('podAffinity', ZONE),
    wrong: ({ zones }) => (zones.length > 1 ? 'pods are in several zones' : undefined),
  },
  {
    name: 'pod anti-affinity',
    pods: 500,
    spec: affinity('podAntiAffinity', NODE),
    wrong: ({ mostOnNode }) => (mostOnNode > 1 ? 'pods share a node' : undefined),
  },
  {
    name: 'topology spread',
    pods: 500,
    spec: { topologySpreadConstraints: [spread] },
    wrong: ({ zones, allZones }) => {
      const counts = zones.map(([, count]) => count)
      const least = zones.length < allZones ? 0 : Math.min(...counts)
      return Math.max(...counts) - least > MAX_SKEW ? 'zones differ by more than the skew' : undefined
    },
  },
  {
    name: 'daemon',
    pods: 500,
    spec: onNodes(byName),
    wrong: ({ mostOnNode }) => (mostOnNode > 1 ? 'pods share a node' : undefined),
  },
  { name: 'mixed churn', pods: 500, spec: {}, churns: true, wrong: fits },
  {
    name: 'preemption',
    pods: 200,
    spec: { priorityClassName: HIGH_PRIORITY },
    cpu: LARGE.high,
    preempts: true,
    wrong: ({ mostOnNode }) => (mostOnNode > 1 ? 'pods share a node that is too small' : undefined),
  },
]
