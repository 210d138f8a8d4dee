import { describe, expect, test } from 'vitest'
import type { ServedResource } from '../../client/discovery.ts'
import type { OwnerReference } from '../../machinery/meta/object.ts'
import { type Deletion, type GraphNode, OwnerGraph } from './owner-graph.ts'
import {
  concernedByChange,
  concernedByRemoval,
  type ItemDecision,
  isSettled,
  type OwnerState,
  planForeground,
  planItem,
} from './plan.ts'

const configMaps: ServedResource = {
  group: '',
  version: 'v1',
  resource: 'configmaps',
  kind: 'ConfigMap',
  scope: 'Namespaced',
  verbs: [],
}

/** A reference to the ConfigMap whose name is its uid. */
const to = (uid: string, parts: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: uid,
  uid,
  ...parts,
})

const node = (uid: string, owners: readonly OwnerReference[] = [], deletion: Deletion = 'none'): GraphNode => ({
  uid,
  name: uid,
  namespace: 'default',
  resource: configMaps,
  owners,
  deletion,
})

const graphOf = (...nodes: readonly GraphNode[]): OwnerGraph => {
  const graph = new OwnerGraph()
  for (const each of nodes) graph.put(each)
  return graph
}

describe('what becomes of an object', () => {
  const DELETE: ItemDecision = { do: 'delete', propagation: 'Background', unblockFirst: false }
  const foreground = (unblockFirst: boolean): ItemDecision => ({
    do: 'delete',
    propagation: 'Foreground',
    unblockFirst,
  })
  const cases: readonly (readonly [string, readonly OwnerState[], readonly GraphNode[], ItemDecision])[] = [
    ['stays without owners', [], [], { do: 'keep' }],
    ['stays with its owner', ['solid'], [], { do: 'keep' }],
    ['goes with its only owner', ['absent'], [], DELETE],
    ['goes when all owners are gone', ['absent', 'absent'], [], DELETE],
    ['forgets one of two owners', ['absent', 'solid'], [], { do: 'drop-owners', uids: new Set(['0']) }],
    [
      'does not hold up an owner when it has another',
      ['solid', 'waiting'],
      [],
      { do: 'drop-owners', uids: new Set(['1']) },
    ],
    ['goes for an owner that waits for it', ['waiting'], [], DELETE],
    ['takes its own dependents along for an owner that waits', ['waiting'], [node('below')], foreground(false)],
    [
      'blocks nobody when one of its dependents waits, too',
      ['waiting'],
      [node('below', [], 'foreground')],
      foreground(true),
    ],
  ]
  test.each(cases)('%s', (_, states, dependents, expected) => {
    const owners = states.map((state, index) => ({ state, reference: to(String(index)) }))
    expect(planItem({ owners, asked: undefined, dependents })).toEqual(expected)
  })
  test('is deleted as its finalizers ask', () => {
    const owners = [{ state: 'absent' as const, reference: to('x') }]
    expect(planItem({ owners, asked: 'Orphan', dependents: [] })).toMatchObject({ propagation: 'Orphan' })
  })
})

describe('a foreground deletion', () => {
  const owner = node('owner', [], 'foreground')
  const blocking = (uid: string, deletion: Deletion = 'none') =>
    node(uid, [to('owner', { blockOwnerDeletion: true })], deletion)
  const cases: readonly (readonly [string, readonly GraphNode[], object])[] = [
    ['ends without dependents', [], { do: 'release' }],
    ['ends when no dependent blocks it', [node('a', [to('owner')])], { do: 'release' }],
    ['waits for those that block', [blocking('a'), node('b', [to('owner')])], { do: 'wait', check: ['a'] }],
    ['leaves those alone that wait themselves', [blocking('a', 'foreground')], { do: 'wait', check: [] }],
  ]
  test.each(cases)('%s', (_, dependents, expected) => expect(planForeground(owner, dependents)).toEqual(expected))
})

describe('whom a change concerns', () => {
  const changed = (graph: OwnerGraph, next: GraphNode) => concernedByChange(graph, next, graph.put(next))
  test('nobody, when all owners are known', () => {
    const graph = graphOf(node('owner'))
    expect(changed(graph, node('a', [to('owner')]))).toEqual({ check: [], orphan: undefined, misplaced: [] })
  })
  test('an object whose owner is not known', () => {
    expect(changed(graphOf(), node('a', [to('owner')])).check).toEqual(['a'])
  })
  test('an object that names its owner wrongly', () => {
    expect(changed(graphOf(node('owner')), node('a', [to('owner', { name: 'other' })])).check).toEqual(['a'])
  })
  test('an object that was there before its owner, and names it wrongly', () => {
    const graph = graphOf(node('a', [to('owner', { kind: 'Secret' })]), node('b', [to('owner')]))
    expect(changed(graph, node('owner')).check).toEqual(['a'])
  })
  test('an object of another namespace than its owner, with a word about it', () => {
    const stray = { ...node('a', [to('owner')]), namespace: 'other' }
    const late = changed(graphOf(node('owner')), stray)
    expect(late).toMatchObject({ check: ['a'], misplaced: [{ dependent: stray, reference: to('owner') }] })
    expect(changed(graphOf(stray), node('owner'))).toEqual({ ...late, orphan: undefined })
  })
  test('owner and dependents, when a foreground deletion begins', () => {
    const graph = graphOf(node('owner'), node('a', [to('owner')]))
    expect(changed(graph, node('owner', [], 'foreground')).check).toEqual(['a', 'owner'])
    expect(changed(graph, node('owner', [], 'foreground')).check).toEqual([])
  })
  test('the owner, when it is to be orphaned from', () => {
    expect(changed(graphOf(node('owner')), node('owner', [], 'orphan'))).toMatchObject({ check: [], orphan: 'owner' })
  })
  test('an owner that waits, when a dependent stops blocking it', () => {
    const graph = graphOf(
      node('owner', [], 'foreground'),
      node('a', [to('owner', { blockOwnerDeletion: true })], 'plain'),
    )
    expect(changed(graph, node('a', [to('owner')], 'plain')).check).toEqual(['owner'])
    expect(changed(graph, node('a', [], 'plain')).check).toEqual([])
  })
  test('dependents and waiting owners of what is gone', () => {
    const graph = graphOf(node('top', [], 'foreground'), node('middle', [to('top')]), node('below', [to('middle')]))
    const gone = graph.remove('middle')
    expect(gone && concernedByRemoval(graph, gone)).toEqual({ check: ['below', 'top'], misplaced: [] })
  })
})

test('an object that is being deleted is settled, unless it waits for its dependents', () => {
  const graph = graphOf()
  expect(isSettled(graph, node('a', [to('owner')], 'plain'))).toBe(true)
  expect(isSettled(graph, node('a', [], 'foreground'))).toBe(false)
})

test('the graph finds dependents of owners it has never seen, and forgets links that are gone', () => {
  const graph = graphOf(node('a', [to('owner')]), node('b', [to('owner')]))
  expect(graph.dependentsOf('owner').map(({ uid }) => uid)).toEqual(['a', 'b'])
  graph.put(node('a'))
  graph.remove('b')
  expect(graph.dependentsOf('owner')).toEqual([])
  expect(graph.size).toBe(1)
})
