import { describe, expect, test } from 'vitest'
import { resourcesInGroups, resourcesInList } from './read-discovery.ts'

const V1 = { group: 'example.com', version: 'v1' }
const KIND = { group: '', version: '', kind: 'Gadget' }

describe('discovery of an aggregated server', () => {
  test('is repeated for the version that is asked for', () => {
    const gadgets = {
      ...{ resource: 'gadgets', responseKind: KIND, scope: 'Namespaced', singularResource: 'gadget', verbs: ['get'] },
      ...{ shortNames: ['g'], categories: ['all'] },
      subresources: [{ subresource: 'status', responseKind: KIND, verbs: ['get', 'update'] }],
    }
    const items = [
      { metadata: { name: 'other' }, versions: [{ version: 'v1', resources: [{ resource: 'others' }] }] },
      {
        metadata: { name: 'example.com' },
        versions: [
          { version: 'v2', resources: [] },
          { version: 'v1', resources: [gadgets] },
        ],
      },
    ]
    const document = { kind: 'APIGroupDiscoveryList', items }
    expect(resourcesInGroups(document, V1)).toEqual([gadgets])
    expect(resourcesInGroups(document, { ...V1, version: 'v3' })).toEqual([])
  })

  test('is not repeated where it makes no sense', () => {
    expect(resourcesInGroups({ kind: 'APIGroupList', groups: [] }, V1)).toBeUndefined()
    expect(resourcesInGroups('nothing', V1)).toBeUndefined()
    const strange = [
      { resource: 7, responseKind: null, verbs: [1, 'get'], scope: 'Everywhere', extra: 'x', subresources: 'no' },
    ]
    const items = [{ metadata: { name: 'example.com' }, versions: [{ version: 'v1', resources: strange }, null] }, 3]
    expect(resourcesInGroups({ kind: 'APIGroupDiscoveryList', items }, V1)).toEqual([
      {
        ...{ resource: '', singularResource: '', scope: 'Cluster', verbs: ['get'] },
        responseKind: { group: '', version: '', kind: '' },
      },
    ])
  })

  test('is made of the list of resources where there is nothing newer', () => {
    const list = {
      kind: 'APIResourceList',
      resources: [
        { name: 'gadgets/scale', namespaced: true, kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get'] },
        {
          name: 'gadgets',
          singularName: 'gadget',
          namespaced: true,
          kind: 'Gadget',
          verbs: ['list'],
          shortNames: ['g'],
        },
        { name: 'lost/status', namespaced: false, kind: 'Lost', verbs: ['get'] },
      ],
    }
    const scale = { group: 'autoscaling', version: 'v1', kind: 'Scale' }
    expect(resourcesInList(list)).toEqual([
      {
        ...{ resource: 'gadgets', singularResource: 'gadget', scope: 'Namespaced', verbs: ['list'], shortNames: ['g'] },
        responseKind: KIND,
        subresources: [{ subresource: 'scale', responseKind: scale, verbs: ['get'] }],
      },
      {
        ...{ resource: 'lost', singularResource: '', scope: 'Cluster', verbs: [] },
        responseKind: { group: '', version: '', kind: '' },
        subresources: [{ subresource: 'status', responseKind: { ...KIND, kind: 'Lost' }, verbs: ['get'] }],
      },
    ])
    expect(resourcesInList({ kind: 'Status' })).toBeUndefined()
  })
})
