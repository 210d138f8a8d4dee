import { describe, expect, test } from 'vitest'
import { container, pod } from '../../test/support/builders.ts'
import type { Container, Pod, PodSpec, PodStatus } from '../apis/core/types.gen.ts'
import { backoffText, podStatus } from './pod-status.ts'
import { RESTART_DELAY } from './restart-delay.ts'
import { instance, NOW_MS, sandbox, type ViewParts, view } from './test-view.ts'
import { mergeStatus } from './write-status.ts'

const FACTS = { runtimeName: 'docker', hostIp: '192.0.2.1' }
const NOW = '2026-01-01T12:00:00Z'

function statusOf(
  spec: Partial<PodSpec>,
  parts: ViewParts = {},
  of: Partial<Pod> = {},
  messages = new Map<string, string>(),
) {
  return podStatus(view({ ...pod({ spec }), ...of }, parts), FACTS, messages)
}

const first = container({ name: 'first' })
const proxy: Container = container({ name: 'proxy', restartPolicy: 'Always' })
const two = { containers: [container(), container({ name: 'other' })] }
const failed = instance('exited', { exitCode: 3 })
const ended = (name: string, exitCode = 0) => instance('exited', { name, exitCode })

describe('the phase', () => {
  const ending = { startedAtMs: NOW_MS }
  for (const [behaviour, spec, parts, phase] of [
    ['is Pending before anything was made', {}, { sandboxes: [] }, 'Pending'],
    [
      'is Pending while an init container runs',
      { initContainers: [first] },
      { containers: [instance('running', { name: 'first' })] },
      'Pending',
    ],
    ['is Pending while one container has never run', two, { containers: [instance('running')] }, 'Pending'],
    ['is Pending when a container was made and not started', {}, { containers: [instance('created')] }, 'Pending'],
    ['is Pending while a sidecar has not started', { initContainers: [proxy] }, {}, 'Pending'],
    ['is Running when all containers have run', two, { containers: [instance('running'), ended('other')] }, 'Running'],
    ['is Running while a container waits for its restart', {}, { containers: [failed] }, 'Running'],
    [
      'is Running while a container that may not restart has ended and another runs',
      { ...two, restartPolicy: 'Never' },
      { containers: [failed, instance('running', { name: 'other' })] },
      'Running',
    ],
    [
      'is Failed when all have ended and one has failed',
      { ...two, restartPolicy: 'Never' },
      { containers: [failed, ended('other')] },
      'Failed',
    ],
    [
      'is Succeeded when all have succeeded',
      { ...two, restartPolicy: 'OnFailure' },
      { containers: [ended('app'), ended('other')] },
      'Succeeded',
    ],
    [
      'is Running while the sidecar of a finished pod still runs',
      { restartPolicy: 'Never', initContainers: [proxy] },
      { containers: [ended('app'), instance('running', { name: 'proxy' })] },
      'Running',
    ],
    [
      'does not care how a sidecar ended',
      { restartPolicy: 'Never', initContainers: [proxy] },
      { containers: [ended('app'), ended('proxy', 137)] },
      'Succeeded',
    ],
    [
      'is Failed when an init container failed for good',
      { restartPolicy: 'Never', initContainers: [first] },
      { containers: [ended('first', 1)] },
      'Failed',
    ],
    [
      'is Pending while a failed init container is tried again',
      { initContainers: [first] },
      { containers: [ended('first', 1)] },
      'Pending',
    ],
    [
      'is not over while a deleted pod still runs',
      {},
      { containers: [instance('running')], memory: { ending } },
      'Running',
    ],
    ['is Succeeded when a deleted pod ended well', {}, { containers: [ended('app')], memory: { ending } }, 'Succeeded'],
    ['is Failed when a deleted pod did not', {}, { containers: [failed], memory: { ending } }, 'Failed'],
    ['is Failed when a deleted pod had not begun', {}, { memory: { ending } }, 'Failed'],
    [
      'is not Failed before the last container of a pod past its deadline ended',
      {},
      { containers: [instance('running')], memory: { ending: { ...ending, phase: 'Failed' } } },
      'Running',
    ],
    [
      'is Failed then, however they ended',
      {},
      { containers: [ended('app')], memory: { ending: { ...ending, phase: 'Failed' } } },
      'Failed',
    ],
  ] satisfies readonly (readonly [string, Partial<PodSpec>, ViewParts, string])[])
    test(behaviour, () => expect(statusOf(spec, parts).phase).toBe(phase))

  test('stays what it was once the pod is over', () => {
    const of = { status: { phase: 'Succeeded' as const } }
    expect(statusOf({}, { containers: [failed] }, of).phase).toBe('Succeeded')
  })
})

describe('the state of a container', () => {
  const stateOf = (spec: Partial<PodSpec>, parts: ViewParts = {}, of: Partial<Pod> = {}) =>
    statusOf(spec, parts, of).containerStatuses?.[0]
  const failure = { reason: 'ErrImagePull', message: 'not there', retryAtMs: NOW_MS + 5_000 }

  test('is ContainerCreating before it was made, PodInitializing behind init containers', () => {
    expect(stateOf({})).toMatchObject({
      state: { waiting: { reason: 'ContainerCreating' } },
      restartCount: 0,
      started: false,
    })
    expect(stateOf({ initContainers: [first] })?.state).toEqual({ waiting: { reason: 'PodInitializing' } })
  })

  test('is why it could not be made', () => {
    expect(stateOf({}, { memory: { failures: new Map([['app', failure]]) } })?.state).toEqual({
      waiting: { reason: 'ErrImagePull', message: 'not there' },
    })
  })

  test('is running, with its resources and mounts', () => {
    const resources = { requests: { cpu: '100m' }, limits: { cpu: '1' } }
    const volumeMounts = [{ name: 'data', mountPath: '/data', readOnly: true }]
    expect(
      stateOf({ containers: [container({ resources, volumeMounts })] }, { containers: [instance('running')] }),
    ).toEqual({
      name: 'app',
      image: 'registry.example/app:1',
      imageID: 'sha256:1',
      containerID: 'docker://app-0',
      state: { running: { startedAt: '2026-01-01T11:59:30Z' } },
      lastState: {},
      ready: true,
      started: true,
      restartCount: 0,
      resources,
      allocatedResources: { cpu: '100m' },
      volumeMounts: [{ name: 'data', mountPath: '/data', readOnly: true, recursiveReadOnly: 'Disabled' }],
    })
  })

  test('is its end, with the message it left', () => {
    const status = statusOf({ restartPolicy: 'Never' }, { containers: [failed] }, {}, new Map([['app-0', 'bye']]))
    expect(status.containerStatuses?.[0]?.state).toEqual({
      terminated: {
        exitCode: 3,
        reason: 'Error',
        message: 'bye',
        startedAt: '2026-01-01T11:59:30Z',
        finishedAt: '2026-01-01T11:59:59Z',
        containerID: 'docker://app-0',
      },
    })
  })

  test('is CrashLoopBackOff while it waits for its next run, and its end moves to the last state', () => {
    const annotations = { [RESTART_DELAY]: '80000' }
    const waiting = stateOf({}, { containers: [instance('exited', { attempt: 4, exitCode: 1, annotations })] })
    expect(waiting).toMatchObject({
      restartCount: 4,
      lastState: { terminated: { exitCode: 1, reason: 'Error' } },
      state: {
        waiting: {
          reason: 'CrashLoopBackOff',
          message: 'back-off 1m20s restarting failed container=app pod=web-0_default(uid-1)',
        },
      },
    })
  })

  test('shows the end before while the next run goes on', () => {
    const containers = [instance('running', { attempt: 1 }), failed]
    expect(stateOf({}, { containers })).toMatchObject({
      state: { running: {} },
      lastState: { terminated: { exitCode: 3, containerID: 'docker://app-0' } },
    })
  })

  test('stays as it was when its instances are gone and the pod is over', () => {
    const known = {
      name: 'app',
      image: 'a',
      imageID: 'b',
      ready: false,
      restartCount: 2,
      state: { terminated: { exitCode: 0 } },
    }
    expect(stateOf({}, {}, { status: { phase: 'Succeeded', containerStatuses: [known] } })).toBe(known)
  })

  test('is unknown when it never ran and its pod, which had begun, is over', () => {
    const ending = { startedAtMs: NOW_MS }
    const status = statusOf(two, { containers: [ended('app')], memory: { ending } })
    expect(status.containerStatuses?.[1]?.state?.terminated).toMatchObject({
      reason: 'ContainerStatusUnknown',
      exitCode: 137,
    })
  })

  test('is not ready before its probes say so, and not started before its hook has run', () => {
    const probed = { containers: [container({ readinessProbe: {}, lifecycle: { postStart: {} } })] }
    const at = (memory: ViewParts['memory']) => {
      const status = stateOf(probed, { containers: [instance('running')], memory: memory ?? {} })
      return [status?.started, status?.ready]
    }
    expect(at({ hooks: new Map([['app-0', 'running']]) })).toEqual([false, false])
    expect(at({ hooks: new Map([['app-0', 'succeeded']]) })).toEqual([true, false])
    const probes = new Map([['app-0', { readiness: true }]])
    expect(at({ hooks: new Map([['app-0', 'succeeded']]), probes })).toEqual([true, true])
  })
})

describe('conditions', () => {
  const verdicts = (status: PodStatus) =>
    Object.fromEntries(
      (status.conditions ?? []).map(({ type, status: holds, reason }) => [type, reason ? `${holds} ${reason}` : holds]),
    )

  for (const [behaviour, spec, parts, expected] of [
    [
      'of a pod that begins',
      { initContainers: [first] },
      { sandboxes: [] },
      {
        PodReadyToStartContainers: 'False',
        Initialized: 'False ContainersNotInitialized',
        ContainersReady: 'False ContainersNotReady',
        Ready: 'False ContainersNotReady',
        PodScheduled: 'True',
      },
    ],
    [
      'of a pod that runs',
      {},
      { containers: [instance('running')] },
      {
        PodReadyToStartContainers: 'True',
        Initialized: 'True',
        ContainersReady: 'True',
        Ready: 'True',
        PodScheduled: 'True',
      },
    ],
    [
      'of a pod that succeeded',
      { restartPolicy: 'Never' },
      { containers: [ended('app')], sandboxes: [] },
      {
        PodReadyToStartContainers: 'False',
        Initialized: 'True PodCompleted',
        ContainersReady: 'False PodCompleted',
        Ready: 'False PodCompleted',
        PodScheduled: 'True',
      },
    ],
  ] satisfies readonly (readonly [string, Partial<PodSpec>, ViewParts, object])[])
    test(behaviour, () => expect(verdicts(statusOf(spec, parts))).toEqual(expected))

  test('keep the time of their last change, and tell the generation they are about', () => {
    const before = '2026-01-01T00:00:00Z'
    const conditions = [
      { type: 'Ready', status: 'True', lastTransitionTime: before },
      { type: 'Initialized', status: 'False', lastTransitionTime: before },
    ]
    const metadata = { name: 'web-0', namespace: 'default', generation: 7 }
    const status = statusOf({}, { containers: [instance('running')] }, { metadata, status: { conditions } })
    const byType = new Map(status.conditions?.map((condition) => [condition.type, condition]))
    expect(byType.get('Ready')).toMatchObject({ lastTransitionTime: before, observedGeneration: 7 })
    expect(byType.get('Initialized')).toMatchObject({ status: 'True', lastTransitionTime: NOW })
  })

  test('of others stay as they are now, and those of the node that no longer hold go', () => {
    const merged = mergeStatus(statusOf({}), {
      nominatedNodeName: 'node-2',
      conditions: [
        { type: 'example.com/gate', status: 'True' },
        { type: 'PodResizePending', status: 'True' },
      ],
    })
    expect(merged.nominatedNodeName).toBe('node-2')
    expect(merged.conditions?.map(({ type }) => type)).toEqual([
      'PodReadyToStartContainers',
      'Initialized',
      'Ready',
      'ContainersReady',
      'PodScheduled',
      'example.com/gate',
    ])
  })
})

test('addresses are the sandbox’s, the node’s on its network, and stay when the sandbox is gone', () => {
  expect(statusOf({})).toMatchObject({ podIP: '10.0.0.5', podIPs: [{ ip: '10.0.0.5' }], hostIP: '192.0.2.1' })
  const shared = sandbox({ ips: [], hostNetwork: true })
  expect(statusOf({ hostNetwork: true }, { sandboxes: [shared] }).podIP).toBe('192.0.2.1')
  const of = { status: { podIP: '10.0.0.9', podIPs: [{ ip: '10.0.0.9' }] } }
  expect(statusOf({}, { sandboxes: [] }, of).podIP).toBe('10.0.0.9')
})

test('a pod that was rejected has no containers', () => {
  const ending = { startedAtMs: NOW_MS, rejected: true, reason: 'OutOfcpu', message: 'no', phase: 'Failed' } as const
  expect(statusOf({}, { memory: { ending } })).toEqual({
    phase: 'Failed',
    reason: 'OutOfcpu',
    message: 'no',
    startTime: NOW,
  })
})

test('delays are spelled as Go does', () => {
  expect([10_000, 80_000, 300_000].map(backoffText)).toEqual(['10s', '1m20s', '5m0s'])
})
