import { expect, test } from 'vitest'
import { container, node, pod } from '../../../test/support/builders.ts'
import type { Node, Pod, PodSpec } from '../../apis/core/types.gen.ts'
import { admitPod } from './admission.ts'

const allocatable = { cpu: '2', memory: '1Gi', pods: '3', 'example.com/gpu': '1' }
const machine = (parts: { labels?: Record<string, string>; spec?: Node['spec'] } = {}) =>
  node({
    metadata: { name: 'node-1', labels: { disk: 'ssd', ...parts.labels } },
    spec: { ...parts.spec },
    status: { allocatable },
  })
const asking = (requests: Record<string, string>) => ({ containers: [container({ resources: { requests } })] })
const withPort = (hostPort: number, hostIP?: string, protocol: 'TCP' | 'UDP' = 'TCP') => ({
  containers: [container({ ports: [{ containerPort: 80, hostPort, protocol, ...(hostIP ? { hostIP } : {}) }] })],
})
const required = (term: object): Partial<PodSpec> => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } },
})
const evicting = [{ key: 'broken', value: 'yes', effect: 'NoExecute' as const }]

for (const [behaviour, spec, others, of, reason, message] of [
  ['a pod that asks for nothing fits', {}, [], machine(), undefined, undefined],
  [
    'what is left counts',
    asking({ cpu: '1' }),
    [asking({ cpu: '1500m' })],
    machine(),
    'OutOfcpu',
    "Node didn't have enough resource: cpu, requested: 1000, used: 1500, capacity: 2000",
  ],
  [
    'memory counts in bytes',
    asking({ memory: '2Gi' }),
    [],
    machine(),
    'OutOfmemory',
    "Node didn't have enough resource: memory, requested: 2147483648, used: 0, capacity: 1073741824",
  ],
  [
    'pods count',
    {},
    [{}, {}, {}],
    machine(),
    'OutOfpods',
    "Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3",
  ],
  ['extended resources count', asking({ 'example.com/gpu': '2' }), [], machine(), 'OutOfexample.com/gpu', undefined],
  ['resources that no node has do not', asking({ 'example.com/other': '2' }), [], machine(), undefined, undefined],
  [
    'a selector must match',
    { nodeSelector: { disk: 'hdd' } },
    [],
    machine(),
    'NodeAffinity',
    "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
  ],
  [
    'a required affinity must match',
    required({ matchExpressions: [{ key: 'disk', operator: 'NotIn', values: ['ssd'] }] }),
    [],
    machine(),
    'NodeAffinity',
    undefined,
  ],
  [
    'a daemon’s affinity names the node',
    required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-1'] }] }),
    [],
    machine(),
    undefined,
    undefined,
  ],
  ['an empty term matches nothing', required({}), [], machine(), 'NodeAffinity', undefined],
  [
    'labels may be compared as numbers',
    required({ matchExpressions: [{ key: 'size', operator: 'Gt', values: ['9'] }] }),
    [],
    machine({ labels: { size: '10' } }),
    undefined,
    undefined,
  ],
  [
    'a port of the node has one owner',
    withPort(80),
    [withPort(80)],
    machine(),
    'NodePorts',
    "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
  ],
  ['on every address', withPort(80), [withPort(80, '192.0.2.1')], machine(), 'NodePorts', undefined],
  [
    'but not on another address',
    withPort(80, '192.0.2.2'),
    [withPort(80, '192.0.2.1')],
    machine(),
    undefined,
    undefined,
  ],
  ['nor for another protocol', withPort(80), [withPort(80, undefined, 'UDP')], machine(), undefined, undefined],
  [
    'a taint that evicts must be tolerated',
    {},
    [],
    machine({ spec: { taints: evicting } }),
    'TaintToleration',
    undefined,
  ],
  [
    'and may be',
    { tolerations: [{ key: 'broken', operator: 'Exists' }] },
    [],
    machine({ spec: { taints: evicting } }),
    undefined,
    undefined,
  ],
  [
    'other taints are the scheduler’s',
    {},
    [],
    machine({ spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } }),
    undefined,
    undefined,
  ],
  ['another operating system is no place', { os: { name: 'windows' } }, [], machine(), 'PodOSNotSupported', undefined],
] satisfies readonly (readonly [
  string,
  Partial<PodSpec>,
  readonly Partial<PodSpec>[],
  Node,
  string | undefined,
  string | undefined,
])[]) {
  test(behaviour, () => {
    const refusal = admitPod(
      pod({ spec }),
      others.map((other): Pod => pod({ spec: other })),
      of,
    )
    expect(refusal?.reason).toBe(reason)
    if (message !== undefined) expect(refusal?.message).toBe(message)
  })
}

test('pods that are over take no room', () => {
  const over = pod({ spec: asking({ cpu: '2' }), status: { phase: 'Succeeded' } })
  expect(admitPod(pod({ spec: asking({ cpu: '2' }) }), [over], machine())).toBeUndefined()
})
