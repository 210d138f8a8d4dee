import { describe, expect, test } from 'vitest'
import { allDefinitions } from '../../../test/support/all-definitions.ts'
import { defineResource } from '../../apis/define-resource.ts'
import { AGGREGATED_PARAMETERS, aggregatedAnswer, aggregatedDiscovery, aggregatedType } from './aggregated.ts'

const JSON_TYPE = 'application/json'
const AGGREGATED_MEDIA_TYPE = `${JSON_TYPE}${AGGREGATED_PARAMETERS}`
const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf'

import { compareVersions } from '../../machinery/meta/version-order.ts'
import { coreVersions, groupDocument, groupList } from './groups.ts'
import { resourceList } from './resources.ts'
import { GIT_VERSION, versionInfo } from './version.ts'

const definitions = allDefinitions()
const widgets = defineResource({
  group: 'example.com',
  version: 'v1',
  kind: 'Widget',
  resource: 'widgets',
  scope: 'Namespaced',
  schema: {},
  shortNames: ['wd'],
})

describe('groups', () => {
  test('built-in groups come in their order, others after them', () => {
    const names = groupList([widgets, ...definitions]).groups.map(({ name }) => name)
    expect(names.slice(0, 4)).toEqual(['apiregistration.k8s.io', 'apps', 'events.k8s.io', 'authentication.k8s.io'])
    expect(names.at(-1)).toBe('example.com')
  })

  test('the preferred version is the first', () => {
    expect(groupDocument(definitions, 'autoscaling')).toMatchObject({
      kind: 'APIGroup',
      versions: [
        { groupVersion: 'autoscaling/v2', version: 'v2' },
        { groupVersion: 'autoscaling/v1', version: 'v1' },
      ],
      preferredVersion: { groupVersion: 'autoscaling/v2', version: 'v2' },
    })
    expect(groupDocument(definitions, 'example.com')).toBeUndefined()
    expect(groupDocument(definitions, '')).toBeUndefined()
  })

  test('versions of other groups: stable, beta, alpha, then by name', () => {
    const versions = ['v1alpha1', 'foo10', 'v1', 'v3beta1', 'foo1', 'v10', 'v11alpha2', 'v2']
    expect(versions.toSorted(compareVersions)).toEqual([
      'v10',
      'v2',
      'v1',
      'v3beta1',
      'v11alpha2',
      'v1alpha1',
      'foo1',
      'foo10',
    ])
  })

  test('the core group has a document of its own', () => {
    expect(coreVersions(definitions, '127.0.0.1:6443')).toEqual({
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:6443' }],
    })
  })
})

describe('resources', () => {
  const core = resourceList(definitions, 'v1').resources
  const named = (name: string) => core.find((resource) => resource.name === name)

  test('a resource with its names, verbs and storage hash', () => {
    expect(named('pods')).toEqual({
      name: 'pods',
      singularName: 'pod',
      namespaced: true,
      kind: 'Pod',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['po'],
      categories: ['all'],
      storageVersionHash: 'xPOwRZ+Yhw8=',
    })
    expect(named('bindings')).not.toHaveProperty('storageVersionHash')
  })

  test('subresources name a kind of another group version in full', () => {
    expect(named('pods/eviction')).toEqual({
      name: 'pods/eviction',
      singularName: '',
      namespaced: true,
      group: 'policy',
      version: 'v1',
      kind: 'Eviction',
      verbs: ['create'],
    })
    expect(named('pods/log')).toEqual({
      name: 'pods/log',
      singularName: '',
      namespaced: true,
      kind: 'Pod',
      verbs: ['get'],
    })
  })

  test('events of both groups are stored as one', () => {
    const hashes = ['v1', 'events.k8s.io/v1'].map(
      (groupVersion) =>
        resourceList(definitions, groupVersion).resources.find(({ name }) => name === 'events')?.storageVersionHash,
    )
    expect(hashes[0]).toBe(hashes[1])
  })

  test('only what is defined appears', () => {
    expect(resourceList([widgets], 'example.com/v1').resources.map(({ name }) => name)).toEqual(['widgets'])
    expect(resourceList([widgets], 'v1').resources).toEqual([])
  })
})

describe('aggregated discovery', () => {
  test('has the core group at /api and the others at /apis', () => {
    expect(aggregatedDiscovery(definitions, 'api').items.map(({ metadata }) => metadata)).toEqual([{}])
    expect(aggregatedDiscovery(definitions, 'apis').items[0]).toMatchObject({
      metadata: { name: 'apiregistration.k8s.io' },
      versions: [
        {
          version: 'v1',
          freshness: 'Current',
          resources: [
            { resource: 'apiservices', responseKind: { group: '', version: '', kind: 'APIService' }, scope: 'Cluster' },
          ],
        },
      ],
    })
  })

  test('lists subresources below their resource', () => {
    const apps = aggregatedDiscovery(definitions, 'apis').items.find(({ metadata }) => metadata.name === 'apps')
    const deployments = apps?.versions[0]?.resources?.find(({ resource }) => resource === 'deployments')
    expect(deployments?.subresources).toEqual([
      {
        subresource: 'scale',
        responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
        verbs: ['get', 'patch', 'update'],
      },
      {
        subresource: 'status',
        responseKind: { group: '', version: '', kind: 'Deployment' },
        verbs: ['get', 'patch', 'update'],
      },
    ])
  })

  test('the same definitions have the same ETag', () => {
    const first = aggregatedAnswer(aggregatedDiscovery(definitions, 'apis'), JSON_TYPE)
    expect(aggregatedAnswer(aggregatedDiscovery(definitions, 'apis'), JSON_TYPE).etag).toBe(first.etag)
    expect(first.etag).toMatch(/^"[0-9A-F]{128}"$/)
    expect(aggregatedAnswer(aggregatedDiscovery([widgets], 'apis'), JSON_TYPE).etag).not.toBe(first.etag)
  })

  test.each([
    [`${AGGREGATED_MEDIA_TYPE},application/json`, JSON_TYPE],
    [`${PROTOBUF_TYPE}${AGGREGATED_PARAMETERS},${PROTOBUF_TYPE}`, PROTOBUF_TYPE],
    ['application/json', undefined],
    ['application/json;as=Table;v=v1;g=meta.k8s.io', undefined],
    [undefined, undefined],
    ['', undefined],
    [`application/json, ${AGGREGATED_MEDIA_TYPE};q=0.5`, undefined],
  ])('Accept: %s', (accept, expected) => {
    expect(aggregatedType(accept)).toBe(expected)
  })
})

test('the version names Kubernetes 1.36 and this machine', () => {
  const build = {
    nodeVersion: 'v26.0.0',
    platform: 'linux',
    arch: 'x64',
    commit: 'abc',
    buildDate: '2026-01-01T00:00:00Z',
  }
  expect(versionInfo(build)).toMatchObject({
    major: '1',
    minor: '36',
    gitVersion: GIT_VERSION,
    platform: 'linux/amd64',
  })
  expect(GIT_VERSION).toMatch(/^v1\.36\.\d+\+t8s$/)
})
