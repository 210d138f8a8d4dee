import { describe, expect, test } from 'vitest'
import { node } from '../../../../test/support/builders.ts'
import type { NodeSelectorTerm, Taint, Toleration } from '../types.gen.ts'
import { matchesNode, matchesTerm, tolerates } from './node-fit.ts'

const edge = node({ metadata: { name: 'edge-1', labels: { role: 'edge', cores: '8' } } })

describe('a term of node affinity', () => {
  const on = (key: string, operator: string, ...values: string[]) =>
    ({ matchExpressions: [{ key, operator, values }] }) as NodeSelectorTerm
  const byName = (name: string) =>
    ({ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }) as NodeSelectorTerm
  const rows: readonly (readonly [behaviour: string, term: NodeSelectorTerm, matches: boolean])[] = [
    ['matches a value of several', on('role', 'In', 'core', 'edge'), true],
    ['does not match another value', on('role', 'In', 'core'), false],
    ['matches what is not one of the values', on('role', 'NotIn', 'core'), true],
    ['matches NotIn without the label', on('zone', 'NotIn', 'a'), true],
    ['matches a label that exists', on('role', 'Exists'), true],
    ['does not match a label that must not exist', on('role', 'DoesNotExist'), false],
    ['matches a greater number', on('cores', 'Gt', '4'), true],
    ['does not match an equal number', on('cores', 'Gt', '8'), false],
    ['matches a smaller number', on('cores', 'Lt', '9'), true],
    ['does not match what is no number', on('role', 'Lt', '9'), false],
    ['knows nothing of inherited properties', on('constructor', 'Exists'), false],
    ['matches the name', byName('edge-1'), true],
    ['does not match another name', byName('edge-2'), false],
    ['matches nothing when it is empty', {}, false],
  ]
  test.each(rows)('%s', (_behaviour, term, matches) => {
    expect(matchesTerm(term, edge)).toBe(matches)
  })
})

test('selector and affinity must both match, of several terms one', () => {
  const wants = (...roles: readonly string[]) => ({
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: roles.map((role) => ({
          matchExpressions: [{ key: 'role', operator: 'In' as const, values: [role] }],
        })),
      },
    },
  })
  expect(matchesNode({}, edge)).toBe(true)
  expect(matchesNode({ nodeSelector: { role: 'edge' }, affinity: wants('core', 'edge') }, edge)).toBe(true)
  expect(matchesNode({ nodeSelector: { role: 'core' }, affinity: wants('edge') }, edge)).toBe(false)
  expect(matchesNode({ nodeSelector: { role: 'edge' }, affinity: wants('core') }, edge)).toBe(false)
})

describe('a taint', () => {
  const taint: Taint = { key: 'gpu', value: 'yes', effect: 'NoSchedule' }
  const rows: readonly (readonly [behaviour: string, toleration: Toleration, tolerated: boolean])[] = [
    ['is tolerated by its key and value', { key: 'gpu', value: 'yes', effect: 'NoSchedule' }, true],
    ['is tolerated for any effect', { key: 'gpu', operator: 'Equal', value: 'yes' }, true],
    ['is tolerated with any value', { key: 'gpu', operator: 'Exists' }, true],
    ['is tolerated by who tolerates everything', { operator: 'Exists' }, true],
    ['is not tolerated with another value', { key: 'gpu', value: 'no' }, false],
    ['is not tolerated for another effect', { key: 'gpu', operator: 'Exists', effect: 'NoExecute' }, false],
    ['is not tolerated by another key', { key: 'arm', operator: 'Exists' }, false],
  ]
  test.each(rows)('%s', (_behaviour, toleration, tolerated) => {
    expect(tolerates([toleration], taint)).toBe(tolerated)
  })
})
