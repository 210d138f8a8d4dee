import { describe, expect, test } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../../apis/core/types.gen.ts'
import type { UserInfo } from '../../../machinery/wire/message.ts'
import { type Attributes, fieldLimits } from '../authorizer.ts'
import { nodeAuthorizer } from './node-authorizer.ts'
import type { NodeObjects } from './node-objects.ts'

const n1: UserInfo = { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }
const web: Pod = {
  metadata: { name: 'web', namespace: 'a' },
  spec: {
    nodeName: 'n1',
    serviceAccountName: 'bot',
    containers: [
      { name: 'app', image: 'app', env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'key', key: 'k' } } }] },
    ],
    initContainers: [{ name: 'init', image: 'app', envFrom: [{ configMapRef: { name: 'settings' } }] }],
    imagePullSecrets: [{ name: 'pull' }],
    volumes: [
      { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'scratch', ephemeral: {} },
      { name: 'all', projected: { sources: [{ secret: { name: 'projected' } }] } },
    ],
    resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'gpus' }],
  },
  status: { resourceClaimStatuses: [{ name: 'gpu', resourceClaimName: 'web-gpu-1' }] },
} as Pod
const mirror: Pod = {
  metadata: { name: 'mirror', namespace: 'a', annotations: { 'kubernetes.io/config.mirror': 'x' } },
  spec: { nodeName: 'n1', containers: [], volumes: [{ name: 's', secret: { secretName: 'stolen' } }] },
}
const other: Pod = {
  metadata: { name: 'other', namespace: 'a' },
  spec: { nodeName: 'n2', containers: [], volumes: [{ name: 's', secret: { secretName: 'others' } }] },
}
const claim = { metadata: { name: 'data', namespace: 'a' }, spec: { volumeName: 'disk' } } as PersistentVolumeClaim
const disk: PersistentVolume = {
  metadata: { name: 'disk' },
  spec: {
    claimRef: { namespace: 'a', name: 'data' },
    csi: { driver: 'd', volumeHandle: 'h', nodeStageSecretRef: { namespace: 'disks', name: 'stage' } },
  },
} as PersistentVolume
const pods = [web, mirror, other]

const objects: NodeObjects = {
  isFresh: true,
  whenFresh: async () => {},
  podsOn: (node, { namespace, serviceAccount }) =>
    pods.filter(({ metadata, spec }) => {
      const account = serviceAccount === undefined || spec?.serviceAccountName === serviceAccount
      return account && spec?.nodeName === node && (!namespace || metadata.namespace === namespace)
    }),
  nodeOfPod: ({ namespace, name }) =>
    pods.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace)?.spec?.nodeName,
  claim: ({ namespace, name }) => (namespace === 'a' && name === 'data' ? claim : undefined),
  volume: (name) => (name === 'disk' ? disk : undefined),
  nodeOfAttachment: (name) => (name === 'attached' ? 'n1' : undefined),
  nodeOfResourceSlice: (name) => (name === 'slice' ? 'n1' : 'n2'),
}

const { authorize, rulesOf } = nodeAuthorizer(objects)
const asked = (verb: string, resource: string, name = '', more: Partial<Attributes> = {}): Attributes => {
  const namespaced = !['nodes', 'persistentvolumes', 'volumeattachments', 'csinodes', 'resourceslices'].includes(
    resource,
  )
  return {
    user: n1,
    verb,
    group: '',
    resource,
    subresource: '',
    namespace: namespaced ? 'a' : '',
    name,
    path: '',
    ...more,
  }
}
const storage = { group: 'storage.k8s.io' }
const dra = { group: 'resource.k8s.io' }
const lease = { group: 'coordination.k8s.io', namespace: 'kube-node-lease' }
const own = { fields: fieldLimits('spec.nodeName=n1') }
const unrelated = "no relationship found between node 'n1' and this object"

describe('a node', () => {
  const table: readonly (readonly [string, Attributes, true | string])[] = [
    ['reads a secret in an environment', asked('get', 'secrets', 'key'), true],
    ['reads a secret to pull with', asked('watch', 'secrets', 'pull'), true],
    ['reads a secret in a projected volume', asked('list', 'secrets', 'projected'), true],
    ['reads the secret of a volume', asked('get', 'secrets', 'stage', { namespace: 'disks' }), true],
    ['reads no secret that only others need', asked('get', 'secrets', 'others'), unrelated],
    ['gets nothing by a pod that it made itself', asked('get', 'secrets', 'stolen'), unrelated],
    ['reads no secrets at large', asked('list', 'secrets'), 'No Object name found'],
    [
      'reads no secrets of everywhere',
      asked('list', 'secrets', 'key', { namespace: '' }),
      'can only read namespaced object of this type',
    ],
    ['writes no secret', asked('update', 'secrets', 'key'), 'can only read resources of this type'],
    ['reads a config map', asked('get', 'configmaps', 'settings'), true],
    ['reads no other config map', asked('get', 'configmaps', 'key'), unrelated],
    ['reads a claim', asked('get', 'persistentvolumeclaims', 'data'), true],
    ['reads the claim that a pod makes', asked('get', 'persistentvolumeclaims', 'web-scratch'), true],
    ['reports of a claim', asked('patch', 'persistentvolumeclaims', 'data', { subresource: 'status' }), true],
    ['lists no claims', asked('list', 'persistentvolumeclaims'), 'can only get individual resources of this type'],
    ['reads a volume', asked('get', 'persistentvolumes', 'disk'), true],
    ['reads no other volume', asked('get', 'persistentvolumes', 'other'), unrelated],
    ['reads a resource claim', asked('get', 'resourceclaims', 'web-gpu-1', dra), true],
    ['reads its attachment', asked('get', 'volumeattachments', 'attached', storage), true],
    ['asks for tokens of a service account', asked('create', 'serviceaccounts', 'bot', { subresource: 'token' }), true],
    ['asks for no tokens of another', asked('create', 'serviceaccounts', 'root', { subresource: 'token' }), unrelated],
    [
      'makes no service accounts',
      asked('create', 'serviceaccounts'),
      'can only create tokens for individual service accounts',
    ],
    ['reads a service account', asked('get', 'serviceaccounts', 'bot'), true],
    ['has its lease', asked('update', 'leases', 'n1', lease), true],
    [
      'has no other lease',
      asked('update', 'leases', 'n2', lease),
      'can only access node lease with the same name as the requesting node',
    ],
    [
      'has no lease elsewhere',
      asked('get', 'leases', 'n1', { ...lease, namespace: 'a' }),
      'can only access leases in the "kube-node-lease" system namespace',
    ],
    ['has its CSI node', asked('delete', 'csinodes', 'n1', storage), true],
    ['makes a slice', asked('create', 'resourceslices', '', dra), true],
    ['changes its slice', asked('update', 'resourceslices', 'slice', dra), true],
    ['changes no other slice', asked('update', 'resourceslices', 'others', dra), unrelated],
    ['lists its slices', asked('list', 'resourceslices', '', { ...dra, ...own }), true],
    [
      'lists no others',
      asked('list', 'resourceslices', '', dra),
      'can only list/watch/deletecollection resourceslices with nodeName field selector',
    ],
    ['reads itself', asked('get', 'nodes', 'n1'), true],
    ['reads no other node', asked('get', 'nodes', 'n2'), "node 'n1' cannot read 'n2', only its own Node object"],
    ['lists no nodes', asked('list', 'nodes'), "node 'n1' cannot read all nodes, only its own Node object"],
    ['registers', asked('create', 'nodes'), true],
    ['does not delete itself', asked('delete', 'nodes', 'n1'), ''],
    ['lists its pods', asked('list', 'pods', '', { ...own, namespace: '' }), true],
    [
      'lists no others',
      asked('list', 'pods', '', { namespace: '' }),
      'can only list/watch pods with spec.nodeName field selector',
    ],
    ['reads its pod', asked('get', 'pods', 'web'), true],
    ['reads no other pod', asked('get', 'pods', 'other'), unrelated],
    ['evicts', asked('create', 'pods', 'web', { subresource: 'eviction' }), true],
    ['runs nothing in pods', asked('create', 'pods', 'web', { subresource: 'exec' }), ''],
    ['reads services', asked('list', 'services'), true],
    ['reads no deployments', asked('list', 'deployments', '', { group: 'apps' }), ''],
    [
      'without a name is nobody',
      asked('list', 'services', '', { user: { ...n1, name: 'system:node:' } }),
      'unknown node for user "system:node:"',
    ],
    ['that is not in the group is none', asked('list', 'services', '', { user: { ...n1, groups: [] } }), ''],
  ]
  test.each(table)('%s', (_, attributes, expected) =>
    expect(authorize(attributes)).toEqual(
      expected === true ? { verdict: 'allow', reason: '' } : { verdict: 'no-opinion', reason: expected },
    ),
  )

  test('has rules that cannot be listed', () => {
    expect(rulesOf(n1, 'a')).toMatchObject({ incomplete: true })
    expect(rulesOf({ name: 'jane', groups: [] }, 'a')).toMatchObject({ incomplete: false, error: '' })
  })
})
