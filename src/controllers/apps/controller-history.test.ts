import { describe, expect, test } from 'vitest'
import { podTemplate, statefulSet } from '../../../test/support/builders.ts'
import { statefulSets } from '../../apis/apps/stateful-set.ts'
import type { ControllerRevision, StatefulSet } from '../../apis/apps/types.gen.ts'
import { planHistory, revisionName, templateOf, truncateHistory } from './controller-history.ts'

function set(version: string, collisionCount = 0): StatefulSet {
  const template = podTemplate({ app: 'web', version })
  return statefulSet({ metadata: { uid: 'web' }, spec: { template }, status: { replicas: 0, collisionCount } })
}

function revision(version: string, number: number): ControllerRevision {
  const owner = set(version)
  const data = { spec: { template: { ...owner.spec.template, $patch: 'replace' } } }
  return { metadata: { name: revisionName(owner), uid: version }, data, revision: number }
}

function history(owner: StatefulSet, revisions: readonly ControllerRevision[], namesake?: ControllerRevision) {
  return planHistory({ owner, definition: statefulSets, hashLabel: 'hash', revisions, namesake })
}

describe('the history', () => {
  test('of a new set gets its first revision', () => {
    const planned = history(set('1'), [])
    expect(planned).toMatchObject({ state: 'outdated', action: { do: 'create', object: { revision: 1 } } })
  })

  test('of a changed set gets the next revision', () => {
    const planned = history(set('3'), [revision('2', 7), revision('1', 2)])
    expect(planned).toMatchObject({ action: { do: 'create', object: { revision: 8 } } })
  })

  test('has a revision whose patch puts the template back', () => {
    const planned = history(set('1'), [])
    if (planned.state !== 'outdated' || planned.action.do !== 'create') throw new Error('it is created')
    const made = { ...planned.action.object, revision: 1 }
    expect(made).toMatchObject({ data: { spec: { template: { $patch: 'replace' } } } })
    expect(templateOf(made)).toEqual(set('1').spec.template)
  })

  test('is current when the newest revision has the template', () => {
    const newest = revision('2', 2)
    expect(history(set('2'), [newest, revision('1', 1)])).toEqual({ state: 'current', update: newest })
  })

  test('gives a template that comes back the highest number', () => {
    const planned = history(set('1'), [revision('1', 1), revision('2', 2)])
    expect(planned).toMatchObject({ action: { do: 'update', object: { metadata: { uid: '1' }, revision: 3 } } })
  })

  test('counts a collision when another template has the name, which changes the name', () => {
    expect(history(set('1'), [], revision('2', 1))).toEqual({ state: 'collision' })
    expect(revisionName(set('1', 1))).not.toBe(revisionName(set('1')))
  })
})

test('revisions beyond the limit go, oldest first; those in use do not count', () => {
  const revisions = ['1', '2', '3', '4'].map((version, index) => revision(version, index + 1))
  const owner = statefulSet({ spec: { revisionHistoryLimit: 1 } })
  const deleted = truncateHistory(owner, revisions.toReversed(), new Set([revisions[0]?.metadata.name]))
  expect(deleted.map((action) => action.do === 'delete' && action.object.metadata.uid)).toEqual(['2', '3'])
})
