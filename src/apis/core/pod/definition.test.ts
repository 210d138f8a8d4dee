import { describe, expect, test } from 'vitest'
import { deepFreeze } from '../../../base/deep-freeze.ts'
import { quantityText } from '../../../machinery/meta/quantity.ts'
import { cellAt } from '../../columns.ts'
import type { Container, ContainerStatus, Pod, PodSpec } from '../types.gen.ts'
import { pods } from './definition.ts'
import { podRequests } from './pod-resources.ts'
import { isPodAvailable } from './pod-status.ts'

const NOW = Date.UTC(2026, 0, 1)
const context = { user: { name: 'test', groups: [] }, nowMs: NOW }

function container(fields: Partial<Container> = {}): Container {
  return { name: 'main', image: 'busybox:1.36', ...fields }
}

function pod(spec: Partial<PodSpec> = {}, fields: Partial<Pod> = {}): Pod {
  return deepFreeze({
    metadata: { name: 'web', namespace: 'default' },
    spec: { containers: [container()], ...spec },
    ...fields,
  })
}

const problems = (object: Pod) => pods.validate(pods.default(object)).map(({ path, message }) => `${path}: ${message}`)

test('a spec that was valid is looked at again when it could have changed', () => {
  const spec: { -readonly [Field in keyof PodSpec]: PodSpec[Field] } = {
    ...pods.default(pod()).spec,
    containers: [container({ imagePullPolicy: 'Always', terminationMessagePolicy: 'File' })],
  }
  const changing: Pod = { metadata: {}, spec }
  expect(pods.validate(changing)).toEqual([])
  spec.containers = []
  expect(pods.validate(changing)).toHaveLength(1)
  expect(pods.validate(deepFreeze(changing))).toHaveLength(1)
  expect(pods.validate(changing)).toHaveLength(1)
})

describe('defaults', () => {
  test('fill in what every pod has', () => {
    const { spec } = pods.default(pod({ volumes: [{ name: 'scratch' }] }))
    expect(spec).toMatchObject({
      dnsPolicy: 'ClusterFirst',
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      terminationGracePeriodSeconds: 30,
      enableServiceLinks: true,
      securityContext: {},
      volumes: [{ name: 'scratch', emptyDir: {} }],
      containers: [{ imagePullPolicy: 'IfNotPresent', terminationMessagePath: '/dev/termination-log', resources: {} }],
    })
  })

  test('change nothing the second time', () => {
    const once = pods.default(
      pod({
        hostNetwork: true,
        serviceAccount: 'robot',
        containers: [container({ ports: [{ containerPort: 80 }], resources: { limits: { cpu: '1' } } })],
        resources: { limits: { cpu: '2' } },
      }),
    )
    expect(pods.default(once)).toEqual(once)
    expect(once.spec?.containers[0]).toMatchObject({ ports: [{ hostPort: 80 }], resources: { requests: { cpu: '1' } } })
    expect(once.spec?.serviceAccountName).toBe('robot')
  })

  for (const [image, policy] of [
    ['busybox', 'Always'],
    ['busybox:latest', 'Always'],
    ['busybox:1.36', 'IfNotPresent'],
    ['registry.example:5000/team/app', 'Always'],
    [`busybox@sha256:${'a'.repeat(64)}`, 'IfNotPresent'],
    ['NOT an image', 'IfNotPresent'],
  ] as const) {
    test(`the pull policy of ${image.slice(0, 40)} is ${policy}`, () => {
      expect(pods.default(pod({ containers: [container({ image })] })).spec?.containers[0]?.imagePullPolicy).toBe(
        policy,
      )
    })
  }
})

describe('creation', () => {
  test('starts pending, with the class that its resources imply', () => {
    const both = { cpu: '1', memory: '1Gi' }
    const create = (resources: Container['resources']) =>
      pods.prepareForCreate(pods.default(pod({ containers: [container({ resources })] })), context).status
    expect(create({})).toEqual({ phase: 'Pending', qosClass: 'BestEffort' })
    expect(create({ requests: { cpu: '1' } })?.qosClass).toBe('Burstable')
    expect(create({ limits: both })?.qosClass).toBe('Guaranteed')
    expect(create({ limits: both, requests: { cpu: '500m' } })?.qosClass).toBe('Burstable')
  })

  test('shows scheduling gates as a condition', () => {
    const created = pods.prepareForCreate(pod({ schedulingGates: [{ name: 'example.com/wait' }] }), context)
    expect(created.status?.conditions?.[0]).toMatchObject({
      type: 'PodScheduled',
      status: 'False',
      reason: 'SchedulingGated',
    })
    expect(statusOf(created)).toBe('SchedulingGated')
  })

  test('merges match label keys into selectors', () => {
    const created = pods.prepareForCreate(
      pod(
        {
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'zone',
              whenUnsatisfiable: 'DoNotSchedule',
              labelSelector: {},
              matchLabelKeys: ['hash'],
            },
          ],
        },
        { metadata: { name: 'web', labels: { hash: 'abc' } } },
      ),
      context,
    )
    expect(created.spec?.topologySpreadConstraints?.[0]?.labelSelector).toEqual({
      matchExpressions: [{ key: 'hash', operator: 'In', values: ['abc'] }],
    })
  })
})

describe('what only a new pod must satisfy', () => {
  const findings = (spec: Partial<PodSpec>) =>
    pods.validateCreate?.(pod(spec)).map(({ path, message }) => `${path}: ${message}`)

  test('a gated pod has no node yet', () => {
    expect(findings({ nodeName: 'a', schedulingGates: [{ name: 'example.com/wait' }] })).toEqual([
      'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
    ])
  })

  test('ephemeral containers come later', () => {
    expect(findings({ ephemeralContainers: [{ name: 'debug', image: 'busybox' }] })).toEqual([
      'spec.ephemeralContainers: Forbidden: cannot be set on create',
    ])
  })
})

describe('validation', () => {
  test('accepts a plain pod', () => expect(problems(pod())).toEqual([]))

  for (const [spec, expected] of [
    [{ containers: [] }, 'spec.containers: Required value'],
    [{ containers: [container({ name: '' })] }, 'spec.containers[0].name: Required value'],
    [{ containers: [container({ image: '' })] }, 'spec.containers[0].image: Required value'],
    [{ containers: [container(), container()] }, 'spec.containers[1].name: Duplicate value: "main"'],
    [
      { restartPolicy: 'Sometimes' as 'Always' },
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    ],
    [
      { containers: [container({ resources: { limits: { memory: '1Gi' }, requests: { memory: '2Gi' } } })] },
      'spec.containers[0].resources.requests: Invalid value: "2Gi": must be less than or equal to memory limit of 1Gi',
    ],
    [
      { containers: [container({ volumeMounts: [{ name: 'gone', mountPath: '/x' }] })] },
      'spec.containers[0].volumeMounts[0].name: Not found: "gone"',
    ],
    [
      { volumes: [{ name: 'two', emptyDir: {}, hostPath: { path: '/' } }] },
      'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type',
    ],
    [
      { volumes: [{ name: 'up', hostPath: { path: '/a/../b' } }] },
      'spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain \'..\'',
    ],
    [
      { containers: [container({ env: [{ name: 'A', valueFrom: {} }] })] },
      'spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: ' +
        '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
    ],
    [
      { containers: [container({ livenessProbe: {} })] },
      'spec.containers[0].livenessProbe: Required value: must specify a handler type',
    ],
    [
      {
        containers: [
          container({
            ports: [
              { containerPort: 1, hostPort: 80 },
              { containerPort: 2, hostPort: 80 },
            ],
          }),
        ],
      },
      'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80"',
    ],
    [
      { initContainers: [container({ name: 'init', livenessProbe: { exec: { command: ['x'] } } })] },
      'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
    ],
    [
      { tolerations: [{ operator: 'Equal', value: 'x' }] },
      'spec.tolerations[0].operator: Invalid value: "Equal": ' +
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
    ],
    [{ nodeName: 'Bad Name' }, /^spec\.nodeName: Invalid value: "Bad Name": a lowercase RFC 1123 subdomain/],
    [{ dnsPolicy: 'None' }, 'spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    [
      { activeDeadlineSeconds: 0 },
      'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
    ],
    [
      { securityContext: { runAsUser: -1 } },
      'spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
    ],
    [
      { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } } },
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: ' +
        'Required value: must have at least one node selector term',
    ],
    [
      { topologySpreadConstraints: [{ maxSkew: 0, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }] },
      'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
    ],
  ] satisfies readonly (readonly [Partial<PodSpec>, string | RegExp])[]) {
    test(`says ${String(expected).slice(0, 90)}`, () => {
      const found = problems(pod(spec))
      if (typeof expected === 'string') expect(found).toEqual([expected])
      else expect(found).toEqual([expect.stringMatching(expected)])
    })
  }
})

describe('updates', () => {
  const before = pods.default(pod({ tolerations: [{ key: 'a', operator: 'Exists' }] }))
  const change = (spec: Partial<PodSpec>) => {
    const next = { ...before, spec: { ...before.spec, containers: before.spec?.containers ?? [], ...spec } }
    return pods.validateUpdate(next, before).map(({ path, message }) => `${path}: ${message}`)
  }

  test('may change images, add tolerations and set a deadline', () => {
    const containers = (before.spec?.containers ?? []).map((entry) => ({ ...entry, image: 'other:2' }))
    const tolerations = [...(before.spec?.tolerations ?? []), { key: 'b', operator: 'Exists' as const }]
    expect(change({ containers, tolerations, activeDeadlineSeconds: 5 })).toEqual([])
  })

  test('may change nothing else', () => {
    expect(change({ hostname: 'x' })).toEqual([
      expect.stringMatching(
        /^spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`,/,
      ),
    ])
    expect(change({ tolerations: [] })).toEqual([
      'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
    ])
    expect(change({ containers: [] })).toEqual([
      'spec.containers: Forbidden: pod updates may not add or remove containers',
    ])
  })
})

const cell = (object: Pod, name: string) => {
  const column = pods.columns.find((one) => one.name === name)
  return column && cellAt(column, object, NOW)
}
const statusOf = (object: Pod) => cell(object, 'Status')
const status = (fields: Partial<ContainerStatus>): ContainerStatus => ({
  name: 'main',
  image: 'i',
  imageID: 'i',
  ready: false,
  restartCount: 0,
  ...fields,
})

describe('the status column', () => {
  const inits = [container({ name: 'a' }), container({ name: 'b' })]
  const ended = (exitCode: number, reason?: string) => ({ terminated: { exitCode, ...(reason ? { reason } : {}) } })
  for (const [expected, object] of [
    ['Pending', pod({}, { status: { phase: 'Pending' } })],
    [
      'Init:0/2',
      pod({ initContainers: inits }, { status: { initContainerStatuses: [status({ name: 'a', state: {} })] } }),
    ],
    [
      'Init:CrashLoopBackOff',
      pod(
        { initContainers: inits },
        {
          status: {
            initContainerStatuses: [status({ name: 'a', state: { waiting: { reason: 'CrashLoopBackOff' } } })],
          },
        },
      ),
    ],
    [
      'Init:ExitCode:3',
      pod({ initContainers: inits }, { status: { initContainerStatuses: [status({ name: 'a', state: ended(3) })] } }),
    ],
    [
      'PodInitializing',
      pod(
        { initContainers: [container({ name: 'a' })] },
        {
          status: {
            initContainerStatuses: [status({ name: 'a', state: ended(0, 'Completed') })],
            containerStatuses: [status({ state: { waiting: { reason: 'PodInitializing' } } })],
          },
        },
      ),
    ],
    [
      'Completed',
      pod({}, { status: { phase: 'Succeeded', containerStatuses: [status({ state: ended(0, 'Completed') })] } }),
    ],
    [
      'Signal:9',
      pod({}, { status: { containerStatuses: [status({ state: { terminated: { exitCode: 137, signal: 9 } } })] } }),
    ],
    ['Evicted', pod({}, { status: { phase: 'Failed', reason: 'Evicted' } })],
    [
      'Terminating',
      pod({}, { metadata: { name: 'web', deletionTimestamp: '2026-01-01T00:00:00Z' }, status: { phase: 'Running' } }),
    ],
    [
      'Unknown',
      pod({}, { metadata: { name: 'web', deletionTimestamp: '2026-01-01T00:00:00Z' }, status: { reason: 'NodeLost' } }),
    ],
  ] as const) {
    test(`shows ${expected}`, () => expect(statusOf(object)).toBe(expected))
  }

  test('tells how long ago the last restart was', () => {
    const lastState = { terminated: { exitCode: 1, finishedAt: '2025-12-31T23:55:00Z' } }
    const restarted = status({ restartCount: 3, ready: true, state: { running: {} }, lastState })
    const object = pod({}, { status: { phase: 'Running', containerStatuses: [restarted] } })
    expect([cell(object, 'Ready'), cell(object, 'Status'), cell(object, 'Restarts')]).toEqual([
      '1/1',
      'Running',
      '3 (5m ago)',
    ])
  })
})

test('requests: init containers count as the larger, sidecars add up, overhead comes on top', () => {
  const cpu = (amount: string) => ({ resources: { requests: { cpu: amount } } })
  const requests = podRequests(
    pod({
      containers: [container(cpu('1'))],
      initContainers: [
        container({ name: 'sidecar', restartPolicy: 'Always', ...cpu('500m') }),
        container({ name: 'init', ...cpu('2') }),
      ],
      overhead: { cpu: '100m' },
    }),
  )
  expect([...requests].map(([name, quantity]) => [name, quantityText(quantity)])).toEqual([['cpu', '2600m']])
})

test('a pod is available once it has been ready long enough', () => {
  const conditions = [{ type: 'Ready', status: 'True' as const, lastTransitionTime: '2025-12-31T23:59:50Z' }]
  const ready = pod({}, { status: { conditions } })
  expect([0, 10, 11].map((seconds) => isPodAvailable(ready, seconds, NOW))).toEqual([true, true, false])
})

test('a pod without a node needs no grace', () => {
  expect(pods.deletion.graceSeconds?.(pod({ terminationGracePeriodSeconds: 30 }))).toBe(0)
  expect(pods.deletion.graceSeconds?.(pod({ terminationGracePeriodSeconds: 30, nodeName: 'n' }))).toBe(30)
})

test('warns about a variable that hides another', () => {
  const env = [
    { name: 'A', value: '1' },
    { name: 'A', value: '2' },
  ]
  expect(pods.warnings(pod({ containers: [container({ env })] }), undefined)).toEqual([
    'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
  ])
})
