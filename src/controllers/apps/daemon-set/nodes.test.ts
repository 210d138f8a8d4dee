import { describe, expect, test } from 'vitest'
import { daemonSet as built, container, node, pod } from '../../../../test/support/builders.ts'
import type { DaemonSet } from '../../../apis/apps/types.gen.ts'
import type { Node, PodSpec, Taint } from '../../../apis/core/types.gen.ts'
import { type Fit, fitOf, isUpdated, newDaemonPod, targetNode } from './nodes.ts'

function daemonSet(spec: Partial<PodSpec> = {}): DaemonSet {
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [container()], ...spec } }
  const annotations = { 'deprecated.daemonset.template.generation': '3' }
  return built({ metadata: { uid: 'web', annotations }, spec: { template } })
}

function tainted(key: string, effect: Taint['effect']): Node {
  return node({ metadata: { name: 'a', labels: { role: 'edge' } }, spec: { taints: [{ key, effect }] } })
}

describe('a daemon pod', () => {
  const [yes, stays, no]: readonly Fit[] = [
    { runs: true, stays: true },
    { runs: false, stays: true },
    { runs: false, stays: false },
  ]
  const plain = node({ metadata: { name: 'a', labels: { role: 'edge' } } })
  const troubles = ['not-ready', 'unreachable'].map((name) => tainted(`node.kubernetes.io/${name}`, 'NoExecute'))
  const pressures = ['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'].map((name) =>
    tainted(`node.kubernetes.io/${name}`, 'NoSchedule'),
  )
  const offline = tainted('node.kubernetes.io/network-unavailable', 'NoSchedule')
  const rows: readonly (readonly [
    behaviour: string,
    spec: Partial<PodSpec>,
    nodes: readonly Node[],
    fit: Fit | undefined,
  ])[] = [
    ['runs on a plain node', {}, [plain], yes],
    ['runs on nodes in trouble', {}, [...troubles, ...pressures], yes],
    ['does not come to a node without network', {}, [offline], stays],
    ["runs without network when it uses its node's", { hostNetwork: true }, [offline], yes],
    ['stays on a node that keeps others away', {}, [tainted('dedicated', 'NoSchedule')], stays],
    ['leaves a node that sends it away', {}, [tainted('dedicated', 'NoExecute')], no],
    ['does not mind a taint that only prefers', {}, [tainted('dedicated', 'PreferNoSchedule')], yes],
    [
      'comes where it tolerates the taint',
      { tolerations: [{ operator: 'Exists' }] },
      [tainted('dedicated', 'NoExecute')],
      yes,
    ],
    ['comes where its selector says', { nodeSelector: { role: 'edge' } }, [plain], yes],
    ['leaves where its selector does not say so', { nodeSelector: { role: 'core' } }, [plain], no],
    ['belongs only on the node that its template names', { nodeName: 'b' }, [plain], no],
  ]
  test.each(rows)('%s', (_behaviour, spec, nodes, fit) => {
    for (const candidate of nodes) expect(fitOf(daemonSet(spec), candidate)).toEqual(fit)
  })

  test('is bound to its node in place of the required terms that chose it', () => {
    const preferred = [{ weight: 1, preference: { matchExpressions: [{ key: 'disk', operator: 'Exists' as const }] } }]
    const required = { nodeSelectorTerms: [{ matchExpressions: [{ key: 'role', operator: 'Exists' as const }] }] }
    const affinity = {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: preferred,
        requiredDuringSchedulingIgnoredDuringExecution: required,
      },
    }
    const made = newDaemonPod(daemonSet({ affinity }), 'hash', 'a')
    expect(made.spec?.affinity?.nodeAffinity).toEqual({
      preferredDuringSchedulingIgnoredDuringExecution: preferred,
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }],
      },
    })
    expect(made.metadata.labels).toEqual({
      app: 'web',
      'controller-revision-hash': 'hash',
      'pod-template-generation': '3',
    })
    expect(targetNode(made)).toBe('a')
  })

  test('tolerates for ever what its template tolerates for a while', () => {
    const key = 'node.kubernetes.io/not-ready'
    const short = { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 } as const
    const tolerations = newDaemonPod(daemonSet({ tolerations: [short] }), 'hash', 'a').spec?.tolerations
    expect(tolerations?.filter((toleration) => toleration.key === key)).toEqual([
      { key, operator: 'Exists', effect: 'NoExecute' },
    ])
  })
})

test.each([
  ['is on the node that it was bound to', pod({ spec: { nodeName: 'a' } }), 'a'],
  ['waits for the node of its affinity', pod(newDaemonPod(daemonSet(), 'hash', 'b')), 'b'],
  ['has none otherwise', pod(), undefined],
])('a pod %s', (_behaviour, object, expected) => {
  expect(targetNode(object)).toBe(expected)
})

test('a pod is up to date by its revision or by its generation', () => {
  const labelled = (labels: Record<string, string>) => isUpdated(daemonSet(), 'new', pod({ metadata: { labels } }))
  expect(labelled({ 'controller-revision-hash': 'new' })).toBe(true)
  expect(labelled({ 'controller-revision-hash': 'old', 'pod-template-generation': '3' })).toBe(true)
  expect(labelled({ 'controller-revision-hash': 'old', 'pod-template-generation': '2' })).toBe(false)
})
