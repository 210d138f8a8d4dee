/** G1: pods created as fast as 50 clients can, until the last one is bound; nodes are objects without kubelets. */

import { openConnection } from '../connection.ts'
import { node } from '../objects.ts'
import { onSides, type Sample, type Scenario, type ScenarioParts } from '../scenario.ts'
import { accountReady, untilNone } from '../world.ts'
import { prepared, timed } from './measure.ts'

const CREATORS = 50

interface Family {
  readonly name: string
  readonly nodes: number
  readonly pods: number
  /** Fields of the pod's spec besides its container. */
  readonly spec: object
}

const ANTI_AFFINITY = {
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector: { matchLabels: { color: 'green' } }, topologyKey: 'kubernetes.io/hostname' },
      ],
    },
  },
}
const AFFINITY = {
  affinity: {
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector: { matchLabels: { color: 'green' } }, topologyKey: 'topology.kubernetes.io/zone' },
      ],
    },
  },
}
const NODE_AFFINITY = {
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['zone-1', 'zone-2'] }] },
        ],
      },
    },
  },
}
const SPREAD = {
  topologySpreadConstraints: [
    {
      maxSkew: 5,
      topologyKey: 'topology.kubernetes.io/zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { color: 'green' } },
    },
  ],
}

/** The shapes of upstream's scheduler_perf. */
const FAMILIES: readonly Family[] = [
  { name: 'basic', nodes: 1_000, pods: 2_000, spec: {} },
  { name: 'basic', nodes: 5_000, pods: 2_000, spec: {} },
  { name: 'node affinity', nodes: 1_000, pods: 1_000, spec: NODE_AFFINITY },
  { name: 'pod affinity', nodes: 1_000, pods: 1_000, spec: AFFINITY },
  { name: 'pod anti-affinity', nodes: 1_000, pods: 500, spec: ANTI_AFFINITY },
  { name: 'topology spread', nodes: 1_000, pods: 1_000, spec: SPREAD },
]

export const scheduling: readonly Scenario[] = FAMILIES.map((family) =>
  onSides({
    name: `scheduling-${family.name.replaceAll(' ', '-')}-${family.nodes}`,
    about: `G1: ${family.pods} pods on ${family.nodes} nodes, ${family.name}`,
    wish: { schedulerOnly: true },
    run: async (parts) => ({ [`G1 ${family.name}, ${family.nodes} nodes`]: await drain(parts, family) }),
  }),
)

async function drain(parts: ScenarioParts, { nodes, pods: count, spec }: Family): Promise<Sample> {
  using connection = await openConnection(parts.side.access.credentials)
  await accountReady(connection)
  await prepared(parts, { method: 'POST', path: '/api/v1/nodes', body: node('node-{i}') }, nodes)
  const path = '/api/v1/namespaces/default/pods'
  const pods = parts.quick ? count / 4 : count
  const { ms, cpuMs } = await timed(parts, async () => {
    await prepared(parts, { method: 'POST', path, body: podWith(spec) }, pods, CREATORS)
    await untilNone(connection, `${path}?limit=1&fieldSelector=spec.nodeName%3D`)
  })
  return { perSecond: (pods / ms) * 1_000, cpuMs: cpuMs / pods }
}

function podWith(spec: object): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'pod-{i}', labels: { color: 'green' } },
    spec: {
      ...spec,
      containers: [
        { name: 'main', image: 'registry.example/bench:1', resources: { requests: { cpu: '100m', memory: '100Mi' } } },
      ],
    },
  })
}
