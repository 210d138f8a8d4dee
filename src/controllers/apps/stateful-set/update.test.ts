import { describe, expect, test } from 'vitest'
import { pod, podTemplate, statefulSet } from '../../../../test/support/builders.ts'
import type { StatefulSet } from '../../../apis/apps/types.gen.ts'
import type { PersistentVolumeClaim, Pod } from '../../../apis/core/types.gen.ts'
import { formatTime } from '../../../machinery/meta/time.ts'
import type { Action } from '../../runtime/action.ts'
import { newPod } from './identity.ts'
import { planPods } from './update.ts'

// Goal: which pod a StatefulSet works on next. Method: pods as words (`0:new ready`), actions as words (`delete 2`).

const NOW_MS = Date.UTC(2026, 0, 1)
const TEMPLATE = podTemplate()

/** `2:old ready`: ordinal, revision, and `ready`, `pending`, `failed` or `leaving`. */
function parsed(set: StatefulSet, text: string): Pod {
  const [, ordinal = '', revision = '', state = ''] = /^(\d+):(\w+) (\w+)$/.exec(text) ?? []
  const { metadata, spec } = newPod(set, TEMPLATE, revision, Number(ordinal))
  const ready = state === 'ready' || state === 'leaving' ? 'True' : 'False'
  const phases = { pending: 'Pending', failed: 'Failed' } as const
  return pod({
    metadata: { ...metadata, uid: text, ...(state === 'leaving' ? { deletionTimestamp: formatTime(NOW_MS) } : {}) },
    spec: spec ?? {},
    status: {
      phase: state === 'pending' || state === 'failed' ? phases[state] : 'Running',
      conditions: [{ type: 'Ready', status: ready, lastTransitionTime: formatTime(NOW_MS - 10_000) }],
    },
  })
}

function brief(action: Action): string {
  if (action.do === 'event') return `event ${action.event.reason}`
  if (action.do === 'patch') return `patch ${action.key.name}`
  const { name = '', labels } = action.object.metadata
  const revision = labels?.['controller-revision-hash']
  const ordinal = /^web-(\d+)$/.exec(name)?.[1] ?? name
  return action.do === 'create' && revision ? `create ${ordinal}:${revision}` : `${action.do} ${ordinal}`
}

function plan(
  spec: Partial<StatefulSet['spec']>,
  pods: readonly string[],
  claims: readonly PersistentVolumeClaim[] = [],
): readonly string[] {
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } as const
  const set = statefulSet({ metadata: { uid: 'web' }, spec: { replicas: 3, updateStrategy, ...spec } })
  const { actions } = planPods({
    set,
    pods: pods.map((text) => parsed(set, text)),
    claims: new Map(claims.map((claim) => [claim.metadata.name ?? '', claim])),
    revisions: { current: 'old', update: 'new' },
    currentTemplate: TEMPLATE,
    updateTemplate: TEMPLATE,
    nowMs: NOW_MS,
  })
  return actions.map(brief)
}

type Row = readonly [behaviour: string, pods: readonly string[], actions: readonly string[]]

describe('OrderedReady', () => {
  const rows: readonly Row[] = [
    ['makes the first pod', [], ['create 0:new']],
    ['makes the next when the one before is ready', ['0:new ready'], ['create 1:new']],
    ['waits for one that is not ready', ['0:new ready', '1:new running'], []],
    ['waits for one that is leaving', ['0:new leaving', '1:new ready', '2:new ready'], []],
    ['makes a missing one before later ones', ['0:new ready', '2:new ready'], ['create 1:new']],
    ['deletes one that failed', ['0:new failed', '1:new ready', '2:new ready'], ['delete 0']],
    [
      'scales down from the top',
      ['0:new ready', '1:new ready', '2:new ready', '3:new ready', '4:new ready'],
      ['delete 4'],
    ],
    [
      'scales down no further while one is leaving',
      ['0:new ready', '1:new ready', '2:new ready', '3:new ready', '4:new leaving'],
      [],
    ],
    [
      'scales down the first that is unwell, if it is at the top',
      ['0:new ready', '1:new ready', '2:new ready', '3:new ready', '4:new running'],
      ['delete 4'],
    ],
    [
      'scales down nothing while one below is unwell',
      ['0:new ready', '1:new ready', '2:new ready', '3:new running', '4:new running'],
      [],
    ],
    ['updates from the top', ['0:old ready', '1:old ready', '2:old ready'], ['delete 2']],
    ['updates the next when the one above is ready', ['0:old ready', '1:old ready', '2:new ready'], ['delete 1']],
    ['is done when all are new', ['0:new ready', '1:new ready', '2:new ready'], []],
  ]
  test.each(rows)('%s', (_behaviour, pods, actions) => {
    expect(plan({}, pods)).toEqual(actions)
  })
})

describe('Parallel', () => {
  const rows: readonly Row[] = [
    ['makes all at once', [], ['create 0:new', 'create 1:new', 'create 2:new']],
    ['makes what is missing beside what is not ready', ['1:new pending'], ['create 0:new', 'create 2:new']],
    [
      'scales down all at once, the top first',
      ['0:new ready', '1:new ready', '2:new ready', '3:new ready', '4:new running'],
      ['delete 4', 'delete 3'],
    ],
    ['updates one at a time all the same', ['0:old ready', '1:old ready', '2:old ready'], ['delete 2']],
    ['updates no further while one is not ready', ['0:old ready', '1:old ready', '2:new running'], []],
  ]
  test.each(rows)('%s', (_behaviour, pods, actions) => {
    expect(plan({ podManagementPolicy: 'Parallel' }, pods)).toEqual(actions)
  })
})

describe('a partition', () => {
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } as const
  const rows: readonly Row[] = [
    ['updates only ordinals from it on', ['0:old ready', '1:old ready', '2:old ready'], ['delete 2']],
    ['is done when those are new', ['0:old ready', '1:old ready', '2:new ready'], []],
    ['brings a lower one back as it was', ['1:old ready', '2:new ready'], ['create 0:old']],
    ['brings a higher one back as new', ['0:old ready', '1:old ready'], ['create 2:new']],
  ]
  test.each(rows)('%s', (_behaviour, pods, actions) => {
    expect(plan({ updateStrategy }, pods)).toEqual(actions)
  })
})

test('OnDelete deletes nothing and makes new ones', () => {
  const updateStrategy = { type: 'OnDelete' } as const
  expect(plan({ updateStrategy }, ['0:old ready', '1:old ready', '2:old ready'])).toEqual([])
  expect(plan({ updateStrategy }, ['0:old ready', '1:old ready'])).toEqual(['create 2:new'])
})

test('ordinals may start anywhere', () => {
  expect(plan({ ordinals: { start: 4 } }, ['4:new ready', '2:new ready'])).toEqual(['create 5:new'])
})

describe('claims', () => {
  const volumeClaimTemplates: readonly PersistentVolumeClaim[] = [
    { metadata: { name: 'data' }, spec: {} },
    { metadata: { name: 'log' }, spec: {} },
  ]
  const claim = (name: string, deletionTimestamp?: string): PersistentVolumeClaim => ({
    metadata: { name, deletionTimestamp },
    spec: {},
  })

  test('come before their pod', () => {
    expect(plan({ volumeClaimTemplates }, [])).toEqual(['create data-web-0', 'create log-web-0'])
    expect(plan({ volumeClaimTemplates }, [], [claim('data-web-0')])).toEqual(['create log-web-0'])
    expect(plan({ volumeClaimTemplates }, [], [claim('data-web-0'), claim('log-web-0')])).toEqual(['create 0:new'])
  })

  test('that are being deleted keep their pod from being made', () => {
    const claims = [claim('data-web-0', formatTime(NOW_MS)), claim('log-web-0')]
    expect(plan({ volumeClaimTemplates }, [], claims)).toEqual(['event FailedCreate'])
  })

  test('of a pod that waits are made again', () => {
    expect(plan({ volumeClaimTemplates }, ['0:new pending'], [claim('data-web-0')])).toEqual(['create log-web-0'])
  })
})
