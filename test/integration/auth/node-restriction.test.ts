/** Nodes write what is theirs, and nothing else. */

import { beforeEach, describe, expect, test } from 'vitest'
import { certificateSigningRequests } from '../../../src/apis/certificates/certificate-signing-request.ts'
import { leases } from '../../../src/apis/coordination/lease.ts'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { nodes } from '../../../src/apis/core/node.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { serviceAccounts } from '../../../src/apis/core/service-account.ts'
import type { Client } from '../../../src/client/client.ts'
import { nodeRequest } from '../../support/certificate-requests.ts'
import { openRbacServer, type RbacServer } from './rbac-server.ts'

let server: RbacServer
let n1: Client
beforeEach(async () => {
  server = await openRbacServer()
  n1 = server.as('system:node:n1', 'system:nodes')
  await server.admin.of(namespaces).create({ metadata: { name: 'kube-node-lease' }, spec: {} })
  return () => server[Symbol.asyncDispose]()
})

const containers = [{ name: 'app', image: 'app' }]

/** A pod that is bound to a node, with the service account `bot`. */
async function podOn(nodeName: string, name = 'web') {
  const metadata = { name: 'bot', namespace: 'a' }
  await server.admin
    .of(serviceAccounts)
    .create({ metadata })
    .catch(() => {})
  return server.admin
    .of(pods)
    .create({ metadata: { name, namespace: 'a' }, spec: { nodeName, serviceAccountName: 'bot', containers } })
}

describe('its own object', () => {
  const labels = (list: Record<string, string>) => ({ metadata: { labels: list } })
  const patch = (body: object) => n1.of(nodes).patch({ name: 'n1' }, { type: 'merge', body })

  test('it registers itself only', async () => {
    await n1
      .of(nodes)
      .create({ metadata: { name: 'n1', labels: { 'kubernetes.io/hostname': 'n1', mine: 'too' } }, spec: {} })
    await expect(n1.of(nodes).create({ metadata: { name: 'n2' }, spec: {} })).rejects.toThrow(
      'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
    )
  })

  test('it does not raise itself above others', async () => {
    await expect(
      n1.of(nodes).create({
        metadata: { name: 'n1', labels: { 'node-role.kubernetes.io/control-plane': '', 'x.k8s.io/a': '' } },
        spec: {},
      }),
    ).rejects.toThrow(
      'node "n1" is not allowed to set the following labels: node-role.kubernetes.io/control-plane, x.k8s.io/a',
    )
    await n1.of(nodes).create({ metadata: { name: 'n1' }, spec: {} })
    await patch(labels({ 'node.kubernetes.io/mine': 'a', 'example.com/mine': 'b' }))
    await expect(patch(labels({ 'node-restriction.kubernetes.io/a': 'b' }))).rejects.toThrow(
      'nodes "n1" is forbidden: is not allowed to modify labels: node-restriction.kubernetes.io/a',
    )
    await expect(patch({ spec: { taints: [{ key: 'a', effect: 'NoExecute' }] } })).rejects.toThrow(
      'node "n1" is not allowed to modify taints',
    )
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: 'n2', uid: '1' }]
    await expect(patch({ metadata: { ownerReferences } })).rejects.toThrow(
      'node "n1" is not allowed to modify ownerReferences',
    )
  })

  test('it has one lease', async () => {
    const lease = (name: string) => ({
      metadata: { name, namespace: 'kube-node-lease' },
      spec: { holderIdentity: name },
    })
    await n1.of(leases).create(lease('n1'))
    await expect(n1.of(leases).create(lease('n2'))).rejects.toThrow(
      'can only access node lease with the same name as the requesting node',
    )
  })
})

describe('its pods', () => {
  test('it reports of those that it runs', async () => {
    await podOn('n1')
    await podOn('n2', 'other')
    const report = (name: string, body: object) =>
      n1.of(pods).patch({ name, namespace: 'a' }, { type: 'merge', body }, { subresource: 'status' })
    await report('web', { status: { phase: 'Running' } })
    await expect(report('other', { status: { phase: 'Failed' } })).rejects.toThrow(
      'node "n1" can only update pod status for pods with spec.nodeName set to itself',
    )
    await expect(report('web', { metadata: { labels: { a: 'b' } } })).rejects.toThrow(
      'node "n1" cannot update labels through pod status',
    )
  })

  test('it deletes and evicts those that it runs', async () => {
    await podOn('n1')
    await podOn('n2', 'other')
    const other = { name: 'other', namespace: 'a' }
    await expect(n1.of(pods).delete(other)).rejects.toThrow(
      'node "n1" can only delete pods with spec.nodeName set to itself',
    )
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: other }
    await expect(n1.of(pods).call('POST', other, 'eviction', eviction)).rejects.toThrow(
      'node n1 can only evict pods with spec.nodeName set to itself',
    )
    await n1.of(pods).delete({ name: 'web', namespace: 'a' }, { gracePeriodSeconds: 0 })
  })

  test('it makes mirrors of its static pods, which lead to nothing', async () => {
    await server.admin.of(serviceAccounts).create({ metadata: { name: 'default', namespace: 'a' } })
    const node = await n1.of(nodes).create({ metadata: { name: 'n1' }, spec: {} })
    const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: node.metadata.uid ?? '', controller: true }
    const mirror = (name: string, metadata = {}, spec = {}) =>
      n1.of(pods).create({
        metadata: {
          name,
          namespace: 'a',
          annotations: { 'kubernetes.io/config.mirror': 'x' },
          ownerReferences: [owner],
          ...metadata,
        },
        spec: { nodeName: 'n1', containers, ...spec },
      })
    await mirror('fine')
    await expect(mirror('a', { annotations: {} })).rejects.toThrow(
      'pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
    )
    await expect(mirror('b', {}, { nodeName: 'n2' })).rejects.toThrow(
      'can only create pods with spec.nodeName set to itself',
    )
    await expect(mirror('c', { ownerReferences: [] })).rejects.toThrow(
      'can only create pods with an owner reference set to itself',
    )
    const volumes = [{ name: 's', configMap: { name: 's' } }]
    await expect(mirror('d', {}, { volumes })).rejects.toThrow(
      'node "n1" can not create pods that reference configmaps',
    )
  })

  test('it asks for tokens that are bound to them', async () => {
    const pod = await podOn('n1')
    await podOn('n2', 'other')
    const ask = (boundObjectRef: object | undefined, audiences: readonly string[] = []) =>
      n1.of(serviceAccounts).call('POST', { name: 'bot', namespace: 'a' }, 'token', {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { audiences, boundObjectRef },
      })
    const bound = { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: pod.metadata.uid }
    await ask(bound)
    await expect(ask(undefined)).rejects.toThrow('node requested token not bound to a pod')
    await expect(ask({ ...bound, uid: '1' })).rejects.toThrow('does not match the UID in record')
    await expect(ask(bound, ['vault'])).rejects.toThrow(
      'audience "vault" not found in pod spec volume, system:node:n1 is not authorized',
    )
  })
})

test('it asks for certificates in its own name', async () => {
  const ask = async (name: string, node: string) =>
    n1.of(certificateSigningRequests).create({
      metadata: { name },
      spec: {
        request: await nodeRequest(node),
        signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
        usages: ['client auth', 'digital signature'],
      },
    })
  await ask('mine', 'n1')
  await expect(ask('others', 'n2')).rejects.toThrow('can only create a node CSR with CN=system:node:n1')
})
