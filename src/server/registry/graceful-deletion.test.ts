import { describe, expect, test } from 'vitest'
import { defineResource } from '../../apis/define-resource.ts'
import type { KubeObject, ObjectMeta } from '../../machinery/meta/object.ts'
import { type DeletionWish, goesAsItIs, goesWithUpdate, planDeletion } from './graceful-deletion.ts'

const NAMES = { group: 'x', version: 'v1', kind: 'Thing', resource: 'things', scope: 'Namespaced', schema: {} } as const
const plain = defineResource(NAMES)
const orphaning = defineResource({ ...NAMES, deletion: { propagation: 'Orphan' } })
const graceful = defineResource({ ...NAMES, deletion: { graceSeconds: () => 30 } })
const atOnce = defineResource({ ...NAMES, deletion: { graceSeconds: () => 0 } })

const NOW = Date.UTC(2026, 0, 1)
const thing = (metadata: ObjectMeta = {}): KubeObject => ({ metadata: { name: 'a', ...metadata } })
const PENDING = { deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 }

describe('planDeletion', () => {
  test.each<[string, typeof plain, ObjectMeta, DeletionWish, string, ObjectMeta]>([
    ['removes at once', plain, {}, {}, 'remove', {}],
    ['waits for finalizers', plain, { finalizers: ['a/b'] }, {}, 'mark', { deletionGracePeriodSeconds: 0 }],
    ['bumps a generation', plain, { finalizers: ['a/b'], generation: 3 }, {}, 'mark', { generation: 4 }],
    ['orphans when asked', plain, {}, { propagationPolicy: 'Orphan' }, 'mark', { finalizers: ['orphan'] }],
    ['orphans when asked the old way', plain, {}, { orphanDependents: true }, 'mark', { finalizers: ['orphan'] }],
    ['orphans by default where that is the default', orphaning, {}, {}, 'mark', { finalizers: ['orphan'] }],
    [
      'takes a finalizer away for Background',
      plain,
      { finalizers: ['orphan'] },
      { propagationPolicy: 'Background' },
      'remove',
      {},
    ],
    ['gives the usual grace', graceful, {}, {}, 'mark', PENDING],
    ['gives the wished grace', graceful, {}, { gracePeriodSeconds: 5 }, 'mark', { deletionGracePeriodSeconds: 5 }],
    [
      'shortens the grace',
      graceful,
      PENDING,
      { gracePeriodSeconds: 5 },
      'mark',
      { deletionTimestamp: '2026-01-01T00:00:05Z' },
    ],
    ['never prolongs it', graceful, PENDING, { gracePeriodSeconds: 60 }, 'keep', {}],
    ['has nothing to do twice', graceful, PENDING, {}, 'keep', {}],
    [
      'ignores a wish where there is no grace',
      atOnce,
      {},
      { gracePeriodSeconds: 30 },
      'mark',
      { deletionGracePeriodSeconds: 0 },
    ],
  ])('%s', (_, definition, metadata, wish, step, expected) => {
    const plan = planDeletion(definition, thing(metadata), wish, NOW)
    expect(plan.step).toBe(step)
    if (plan.step !== 'keep') expect(plan.object.metadata).toMatchObject(expected)
  })

  test('is idempotent for what waits for finalizers', () => {
    const first = planDeletion(plain, thing({ finalizers: ['a/b'] }), {}, NOW)
    if (first.step !== 'mark') throw new Error('expected a mark')
    expect(planDeletion(plain, first.object, {}, NOW + 5_000)).toEqual({ step: 'keep' })
  })
})

test('an update without finalizers lets a deleted object go, after its grace', () => {
  expect(goesWithUpdate(plain, thing({ ...PENDING, deletionGracePeriodSeconds: 0 }))).toBe(true)
  expect(goesWithUpdate(plain, thing(PENDING))).toBe(false)
  expect(goesWithUpdate(plain, thing({ ...PENDING, deletionGracePeriodSeconds: 0, finalizers: ['a/b'] }))).toBe(false)
  expect(goesWithUpdate(plain, thing())).toBe(false)
})

test('what goes as it is, without a look at it, is planned to be removed unchanged', () => {
  const held = defineResource({ ...NAMES, deletion: { isHeld: () => false } })
  const finalizers = [undefined, [], ['a/b'], ['orphan'], ['foregroundDeletion']]
  const metas: readonly ObjectMeta[] = finalizers.flatMap((own) => [
    own ? { finalizers: own } : {},
    { ...(own ? { finalizers: own } : {}), ...PENDING },
    { ...(own ? { finalizers: own } : {}), deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 },
  ])
  const wishes: readonly DeletionWish[] = [
    {},
    { gracePeriodSeconds: 5 },
    { orphanDependents: true },
    { orphanDependents: false },
    { propagationPolicy: 'Orphan' },
    { propagationPolicy: 'Foreground' },
    { propagationPolicy: 'Background', gracePeriodSeconds: 0 },
  ]
  let taken = 0
  for (const definition of [plain, orphaning, graceful, atOnce, held]) {
    for (const meta of metas) {
      for (const wish of wishes) {
        const object = thing(meta)
        if (!goesAsItIs(definition, meta.finalizers, wish)) continue
        taken++
        const plan = planDeletion(definition, object, wish, NOW)
        expect(plan.step === 'remove' && plan.object === object).toBe(true)
      }
    }
  }
  expect(taken).toBeGreaterThan(20)
})
