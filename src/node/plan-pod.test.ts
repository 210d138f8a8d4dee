import { describe, expect, test } from 'vitest'
import { container, pod } from '../../test/support/builders.ts'
import type { Container, Pod, PodSpec } from '../apis/core/types.gen.ts'
import { type PodAction, planPod } from './plan-pod.ts'
import { RESOURCES } from './resize.ts'
import { RESTART_DELAY } from './restart-delay.ts'
import { specHash } from './spec-hash.ts'
import { instance, NOW_MS, sandbox, type ViewParts, view } from './test-view.ts'

/** An action in one line. */
function line(action: PodAction): string {
  switch (action.do) {
    case 'start-container':
      return `start ${action.container.spec.name} #${action.attempt}`
    case 'stop-container':
      return `stop ${action.id} within ${action.graceSeconds}s`
    case 'create-sandbox':
      return `create sandbox #${action.attempt}`
    case 'remove-sandbox':
    case 'remove-container':
    case 'resize-container':
      return `${action.do} ${action.id}`
    case 'end':
      return `end ${action.ending.reason}`
    default:
      return action.do
  }
}

const plan = (spec: Partial<PodSpec>, parts: ViewParts = {}, of: Partial<Pod> = {}) =>
  planPod(view({ ...pod({ spec }), ...of }, parts)).actions.map(line)

const sidecar = (name: string, parts: Partial<Container> = {}) => container({ name, restartPolicy: 'Always', ...parts })
const init = { initContainers: [container({ name: 'first' }), sidecar('proxy'), container({ name: 'second' })] }
const done = (name: string) => instance('exited', { name })

describe('a pod that starts', () => {
  for (const [behaviour, spec, parts, expected] of [
    ['gets its volumes first', {}, { sandboxes: [], memory: { volumesReady: false } }, ['prepare-volumes']],
    ['then its sandbox', {}, { sandboxes: [], memory: { sandboxAttempt: 0 } }, ['create sandbox #0']],
    ['then its containers', {}, {}, ['start app #0']],
    ['starts init containers one by one', init, {}, ['start first #0']],
    ['goes on when one has succeeded', init, { containers: [done('first')] }, ['start proxy #0']],
    [
      'waits for a sidecar only until it has started',
      init,
      { containers: [done('first'), instance('running', { name: 'proxy' })] },
      ['start second #0'],
    ],
    [
      'starts all main containers after that',
      { ...init, containers: [container(), container({ name: 'other' })] },
      { containers: [done('first'), instance('running', { name: 'proxy' }), done('second')] },
      ['start app #0', 'start other #0'],
    ],
    ['does not plan what is under way', {}, { memory: { busy: new Set(['start app']) } }, []],
    [
      'makes a container anew that was made and never started',
      {},
      { containers: [instance('created')] },
      ['remove-container app-0'],
    ],
    [
      'replaces a sandbox that died',
      {},
      { sandboxes: [sandbox({ state: 'not-ready' })] },
      ['remove-sandbox sandbox-0'],
    ],
    ['counts its sandboxes', {}, { sandboxes: [], memory: { sandboxAttempt: 3 } }, ['create sandbox #3']],
    [
      'runs init containers again in a new sandbox',
      { initContainers: [container({ name: 'first' })] },
      { sandboxes: [sandbox({ id: 'sandbox-1' })], containers: [done('first'), instance('exited')] },
      ['start first #1'],
    ],
    [
      'leaves alone what has succeeded and need not run again, also in a new sandbox',
      { restartPolicy: 'OnFailure', containers: [container(), container({ name: 'other' })] },
      {
        sandboxes: [sandbox({ id: 'sandbox-1' })],
        containers: [done('app'), instance('exited', { name: 'other', exitCode: 137 })],
      },
      ['start other #1'],
    ],
    [
      'starts ephemeral containers once',
      {
        ephemeralContainers: [
          { name: 'debug', image: 'a' },
          { name: 'old', image: 'a' },
        ],
      },
      { containers: [instance('running'), instance('exited', { name: 'old' })] },
      ['start debug #0'],
    ],
  ] satisfies readonly (readonly [string, Partial<PodSpec>, ViewParts, readonly string[]])[])
    test(behaviour, () => expect(plan(spec, parts)).toEqual(expected))

  test('waits for a sidecar whose startup probe has not passed', () => {
    const spec = { initContainers: [sidecar('proxy', { startupProbe: {} }), container({ name: 'second' })] }
    const containers = [instance('running', { name: 'proxy' })]
    expect(plan(spec, { containers })).toEqual([])
    const probes = new Map([['proxy-0', { startup: true }]])
    expect(plan(spec, { containers, memory: { probes } })).toEqual(['start second #0'])
  })
})

describe('a container that has ended', () => {
  const failed = instance('exited', { exitCode: 1 })
  for (const [behaviour, spec, containers, expected] of [
    ['starts again at once the first time', {}, [failed], ['start app #1']],
    ['waits after that', {}, [instance('exited', { attempt: 1, annotations: { [RESTART_DELAY]: '10000' } })], []],
    [
      'starts again when the wait is over',
      {},
      [instance('exited', { attempt: 1, finishedAtMs: NOW_MS - 10_000, annotations: { [RESTART_DELAY]: '10000' } })],
      ['start app #2'],
    ],
    ['starts again after a failure', { restartPolicy: 'OnFailure' }, [failed], ['start app #1']],
    ['stays ended when it may not restart', { restartPolicy: 'Never' }, [failed], ['remove-sandbox sandbox-0']],
    ['stays ended when it need not', { restartPolicy: 'OnFailure' }, [done('app')], ['remove-sandbox sandbox-0']],
    [
      'keeps one instance before the newest, for its log',
      {},
      [instance('running', { attempt: 3 }), ...[2, 1, 0].map((attempt) => instance('exited', { attempt }))],
      ['remove-container app-1', 'remove-container app-0'],
    ],
  ] satisfies readonly (readonly [string, Partial<PodSpec>, ViewParts['containers'], readonly string[]])[])
    test(behaviour, () => expect(plan(spec, { containers })).toEqual(expected))

  test('is looked at again when its wait is over', () => {
    const annotations = { [RESTART_DELAY]: '20000' }
    const { wakeAtMs } = planPod(view(pod(), { containers: [instance('exited', { attempt: 2, annotations })] }))
    expect(wakeAtMs).toBe(NOW_MS + 19_000)
  })

  test('counts on from the status when its instances are lost', () => {
    const known = { name: 'app', image: '', imageID: '', ready: true, restartCount: 4, containerID: 'docker://x' }
    expect(plan({}, {}, { status: { containerStatuses: [known] } })).toEqual(['start app #5'])
  })

  test('after a failed init container that may not restart, ends the pod', () => {
    const spec: Partial<PodSpec> = { restartPolicy: 'Never', initContainers: [container({ name: 'first' })] }
    const containers = [instance('exited', { name: 'first', exitCode: 1 })]
    expect(plan(spec, { containers })).toEqual(['remove-sandbox sandbox-0'])
  })
})

describe('a running container', () => {
  const running = instance('running')
  for (const [behaviour, spec, memory, expected] of [
    ['is left alone', {}, {}, []],
    [
      'that fails its liveness probe is stopped',
      {},
      { probes: new Map([['app-0', { liveness: false }]]) },
      ['stop app-0 within 30s'],
    ],
    [
      'is stopped within the grace of the probe that failed',
      { containers: [container({ startupProbe: { terminationGracePeriodSeconds: 5 } })] },
      { probes: new Map([['app-0', { startup: false }]]) },
      ['stop app-0 within 5s'],
    ],
    [
      'whose postStart hook failed is stopped',
      {},
      { hooks: new Map([['app-0', 'failed' as const]]) },
      ['stop app-0 within 30s'],
    ],
    ['that is not ready is left alone', {}, { probes: new Map([['app-0', { readiness: false }]]) }, []],
  ] satisfies readonly (readonly [string, Partial<PodSpec>, ViewParts['memory'], readonly string[]])[])
    test(behaviour, () => expect(plan(spec, { containers: [running], memory: memory ?? {} })).toEqual(expected))

  test('is replaced when its image changes, whatever the restart policy says', () => {
    const old = specHash(container({ image: 'old' }))
    const annotations = { hash: old }
    expect(plan({ restartPolicy: 'Never' }, { containers: [instance('running', { annotations })] })).toEqual([
      'stop app-0 within 30s',
    ])
    const containers = [instance('exited', { annotations, exitCode: 137 })]
    expect(plan({ restartPolicy: 'Never' }, { containers, memory: { replaced: new Set(['app-0']) } })).toEqual([
      'start app #1',
    ])
  })

  test('gets other resources in place, or is restarted where its policy says so', () => {
    const annotations = { [RESOURCES]: JSON.stringify({ requests: { cpu: '1' } }) }
    const containers = [instance('running', { annotations })]
    const resources = { requests: { cpu: '2' } }
    expect(plan({ containers: [container({ resources })] }, { containers })).toEqual(['resize-container app-0'])
    const resizePolicy = [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }]
    expect(plan({ containers: [container({ resources, resizePolicy })] }, { containers })).toEqual([
      'stop app-0 within 30s',
    ])
    expect(plan({ containers: [container({ resources: { requests: { cpu: '1000m' } } })] }, { containers })).toEqual([])
  })
})

describe('a pod that ends', () => {
  const deleted = { deletionTimestamp: '2026-01-01T12:00:00Z' }
  const ending = { startedAtMs: NOW_MS, graceSeconds: 20 }
  const both = { ...init, containers: [container(), container({ name: 'other' })] }
  const end = (containers: ViewParts['containers'], parts: Omit<ViewParts, 'containers'> = {}, metadata = deleted) =>
    planPod(
      view(pod({ metadata, spec: both }), { containers: containers ?? [], memory: { ending }, ...parts }),
    ).actions.map(line)

  test('stops main containers first, each with the whole grace period', () => {
    const names = ['proxy', 'app', 'other'] as const
    expect(end(names.map((name) => instance('running', { name })))).toEqual([
      'stop app-0 within 20s',
      'stop other-0 within 20s',
    ])
  })

  test('then sidecars, with what is left of it', () => {
    const containers = [instance('running', { name: 'proxy' }), done('app')]
    expect(end(containers, { nowMs: NOW_MS + 15_000 })).toEqual(['stop proxy-0 within 5s'])
    expect(end(containers, { nowMs: NOW_MS + 60_000 })).toEqual(['stop proxy-0 within 2s'])
  })

  test('then removes the sandbox, and finishes when nothing is left', () => {
    expect(end([done('app')])).toEqual(['remove-sandbox sandbox-0'])
    expect(end([done('app')], { sandboxes: [] })).toEqual(['finish'])
  })

  test('does not finish while something is being made', () => {
    for (const task of ['start app', 'sandbox', 'prepare-volumes'])
      expect(end([], { sandboxes: [], memory: { ending, busy: new Set([task]) } })).toEqual([])
  })

  test('keeps its object when nobody has deleted it, and frees its volumes once', () => {
    const kept = (volumesReady: boolean) =>
      planPod(view(pod(), { sandboxes: [], memory: { ending, volumesReady } })).actions.map(line)
    expect(kept(true)).toEqual(['release-volumes'])
    expect(kept(false)).toEqual([])
  })

  test('whose deletion names no grace period gets the one of its spec', () => {
    const spec = { terminationGracePeriodSeconds: 7 }
    const forced = view(pod({ spec }), {
      containers: [instance('running')],
      memory: { ending: { startedAtMs: NOW_MS }, objectGone: true },
    })
    expect(planPod(forced).actions.map(line)).toEqual(['stop app-0 within 7s'])
  })

  test('begins a stop anew when the grace period becomes shorter, and only then', () => {
    const busyWith = (graceSeconds: number) => {
      const stopping = view(pod({ metadata: deleted }), {
        containers: [instance('running')],
        memory: { ending: { startedAtMs: NOW_MS, graceSeconds } },
      })
      return planPod(stopping)
    }
    const [first] = busyWith(30).actions
    const [again] = busyWith(5).actions
    expect(first).toMatchObject({ untilMs: NOW_MS + 30_000 })
    expect(again).toMatchObject({ untilMs: NOW_MS + 5_000 })
  })

  test('because of its deadline says so, unless it has ended by itself', () => {
    const late = { status: { startTime: '2026-01-01T11:59:00Z' } }
    const spec: Partial<PodSpec> = { activeDeadlineSeconds: 60, restartPolicy: 'Never' }
    expect(plan(spec, { containers: [instance('running')] }, late)).toEqual(['end DeadlineExceeded'])
    expect(plan(spec, { containers: [done('app')] }, late)).toEqual(['remove-sandbox sandbox-0'])
    const early = view(pod({ spec: { activeDeadlineSeconds: 90 }, status: late.status }), {
      containers: [instance('running')],
    })
    expect(planPod(early).wakeAtMs).toBe(NOW_MS + 30_000)
  })
})
