import { describe, expect, test } from 'vitest'
import { pod } from '../../../test/support/builders.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from '../../apis/policy/types.gen.ts'
import type { Plan } from '../runtime/controller.ts'
import { planBudget, type Scale } from './disruption.ts'
import { selectorDescription } from './selector-description.ts'

const NOW = Date.UTC(2026, 0, 1)
const TIME = '2026-01-01T00:00:00Z'

const budget = (
  spec: Partial<PodDisruptionBudgetSpec>,
  status: PodDisruptionBudget['status'] = {},
): PodDisruptionBudget => ({
  metadata: { namespace: 'default', name: 'web', uid: 'b', generation: 1 },
  spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
  status,
})

const member = (name: string, { ready = true, owner = 'set', deleted = false } = {}): Pod =>
  pod({
    metadata: {
      name,
      ...(owner
        ? {
            ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: owner, controller: true }],
          }
        : {}),
      ...(deleted ? { deletionTimestamp: TIME } : {}),
    },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  })

const scales = (...entries: readonly (readonly [uid: string, scale: Scale])[]): ReadonlyMap<string, Scale> =>
  new Map(entries)

const statusIn = ({ actions }: Plan): PodDisruptionBudget['status'] => {
  const update = actions.find((action) => action.do === 'update-status')
  return update && (update.object as PodDisruptionBudget).status
}

const eventsIn = ({ actions }: Plan) => actions.flatMap((action) => (action.do === 'event' ? action.event.reason : []))

describe('counts', () => {
  const three = [member('a'), member('b'), member('c', { ready: false })]
  const oneSet = scales(['set', { uid: 'set', replicas: 4 }])
  const cases: readonly (readonly [
    behaviour: string,
    spec: Partial<PodDisruptionBudgetSpec>,
    pods: readonly Pod[],
    expected: readonly [healthy: number, desired: number, expected: number, allowed: number],
  ])[] = [
    ['a number that must stay is compared with the pods there are', { minAvailable: 1 }, three, [2, 1, 3, 1]],
    ['a share that must stay is one of what the controllers want', { minAvailable: '50%' }, three, [2, 2, 4, 0]],
    ['a share is rounded up', { minAvailable: '30%' }, three, [2, 2, 4, 0]],
    [
      'a number that may be missing is taken from what the controllers want',
      { maxUnavailable: 3 },
      three,
      [2, 1, 4, 1],
    ],
    ['more may be missing than there are', { maxUnavailable: 9 }, three, [2, 0, 4, 2]],
    [
      'pods that are being deleted are not healthy',
      { minAvailable: 0 },
      [member('a', { deleted: true })],
      [0, 0, 1, 0],
    ],
    ['no pods allow no disruption', { minAvailable: 0 }, [], [0, 0, 0, 0]],
  ]
  test.each(cases)('%s', (_, spec, pods, [currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed]) => {
    const plan = planBudget({ budget: budget(spec), pods, scales: oneSet }, NOW)
    expect(statusIn(plan)).toMatchObject({ currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed })
  })
  test('two sets of one deployment count once', () => {
    const shared = { uid: 'deployment', replicas: 2 }
    const pods = [member('a', { owner: 'old' }), member('b', { owner: 'new' })]
    const view = { budget: budget({ maxUnavailable: 1 }), pods, scales: scales(['old', shared], ['new', shared]) }
    expect(statusIn(planBudget(view, NOW))?.expectedPods).toBe(2)
  })
})

describe('conditions', () => {
  test('enough pods allow disruption', () => {
    const plan = planBudget(
      { budget: budget({ minAvailable: 1 }), pods: [member('a'), member('b')], scales: scales() },
      NOW,
    )
    expect(statusIn(plan)?.conditions).toEqual([
      {
        type: 'DisruptionAllowed',
        status: 'True',
        reason: 'SufficientPods',
        message: '',
        observedGeneration: 1,
        lastTransitionTime: TIME,
      },
    ])
  })
  test('too few do not', () => {
    const plan = planBudget({ budget: budget({ minAvailable: 2 }), pods: [member('a')], scales: scales() }, NOW)
    expect(statusIn(plan)?.conditions).toMatchObject([{ status: 'False', reason: 'InsufficientPods' }])
  })
  test('pods of a controller that nobody knows allow nothing, and the budget says so', () => {
    const before = { disruptionsAllowed: 3, currentHealthy: 4 }
    const plan = planBudget(
      { budget: budget({ minAvailable: '50%' }, before), pods: [member('a')], scales: scales() },
      NOW,
    )
    expect(statusIn(plan)).toMatchObject({
      disruptionsAllowed: 0,
      currentHealthy: 4,
      conditions: [{ status: 'False', reason: 'SyncFailed', message: 'found no controllers for pod "a"' }],
    })
    expect(eventsIn(plan)).toEqual(['CalculateExpectedPodCountFailed'])
    expect(plan.requeueAfterMs).toBe(1_000)
  })
})

describe('evicted pods', () => {
  const evicted = (time: string) => budget({ minAvailable: 0 }, { disruptedPods: { a: time, gone: time } })
  test('count as gone until their deletion begins, and are forgotten when they are gone', () => {
    const plan = planBudget({ budget: evicted(TIME), pods: [member('a'), member('b')], scales: scales() }, NOW + 1_000)
    expect(statusIn(plan)).toMatchObject({ currentHealthy: 1, disruptedPods: { a: TIME } })
    expect(plan.requeueAfterMs).toBe(119_001)
  })
  test('count again when they are still there after two minutes', () => {
    const plan = planBudget({ budget: evicted(TIME), pods: [member('a')], scales: scales() }, NOW + 120_001)
    expect(statusIn(plan)).toMatchObject({ currentHealthy: 1 })
    expect(statusIn(plan)?.disruptedPods).toBeUndefined()
    expect(eventsIn(plan)).toEqual(['NotDeleted'])
  })
})

test('a budget whose status is right is not written', () => {
  const view = { budget: budget({ minAvailable: 1 }), pods: [member('a')], scales: scales() }
  const status = statusIn(planBudget(view, NOW))
  expect(planBudget({ ...view, budget: budget({ minAvailable: 1 }, status) }, NOW + 5_000).actions).toEqual([])
})

test('pods without a controller are told about when a share is asked for', () => {
  const pods = [member('a', { owner: '' })]
  const plan = planBudget({ budget: budget({ maxUnavailable: 1 }), pods, scales: scales() }, NOW)
  expect(eventsIn(plan)).toEqual(['UnmanagedPods'])
  expect(statusIn(plan)).toMatchObject({ expectedPods: 0, disruptionsAllowed: 0 })
})

test('a selector is described field by field', () => {
  const selector = {
    matchLabels: { tier: 'front', app: 'web' },
    matchExpressions: [{ key: 'zone', operator: 'In' as const, values: ['a', 'b'] }],
  }
  expect(selectorDescription(selector)).toBe(
    '&LabelSelector{MatchLabels:map[string]string{app: web,tier: front,},MatchExpressions:[]LabelSelectorRequirement{' +
      'LabelSelectorRequirement{Key:zone,Operator:In,Values:[a b],},},}',
  )
})
