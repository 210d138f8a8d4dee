/** Claims to devices: made for pods, held while pods use them, and given back. */

import { expect, test } from 'vitest'
import { events } from '../../../src/apis/core/event.ts'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { serviceAccounts } from '../../../src/apis/core/service-account.ts'
import type { Pod, PodResourceClaim } from '../../../src/apis/core/types.gen.ts'
import { resourceClaims } from '../../../src/apis/resource/resource-claim.ts'
import { resourceClaimTemplates } from '../../../src/apis/resource/resource-claim-template.ts'
import type { ResourceClaim } from '../../../src/apis/resource/types.gen.ts'
import { deviceClaimReleaser } from '../../../src/controllers/devices/device-claim-releaser.ts'
import { podDeviceClaims } from '../../../src/controllers/devices/pod-device-claims.ts'
import { builtinPlugins } from '../../../src/server/admission/chain.ts'
import { container, namespace, pod } from '../../support/builders.ts'
import { createTestCluster, type TestCluster } from '../../support/test-cluster.ts'

const PROTECTION = 'resource.kubernetes.io/delete-protection'
const DEVICES = { devices: { requests: [{ name: 'one', exactly: { deviceClassName: 'gpu' } }] } }
const at = (name: string) => ({ namespace: 'default', name })

async function start(): Promise<TestCluster> {
  const cluster = await createTestCluster([podDeviceClaims, deviceClaimReleaser], { plugins: builtinPlugins })
  await cluster.client.of(namespaces).create(namespace())
  await cluster.client.of(serviceAccounts).create({ metadata: at('default') })
  return cluster
}

const addTemplate = ({ client }: TestCluster) =>
  client.of(resourceClaimTemplates).create({
    metadata: at('gpu'),
    spec: { metadata: { labels: { from: 'template' }, annotations: { kept: 'yes' } }, spec: DEVICES },
  })

const addPod = ({ client }: TestCluster, name: string, claims: readonly PodResourceClaim[], nodeName?: string) => {
  const users = [container({ resources: { claims: claims.map((claim) => ({ name: claim.name })) } })]
  return client
    .of(pods)
    .create(pod({ metadata: at(name), spec: { containers: users, resourceClaims: claims, nodeName } }))
}

const untilClaim = (cluster: TestCluster, isIt: (claim: ResourceClaim) => boolean = () => true) =>
  cluster.eventually(resourceClaims, (claims) => claims.find(isIt))

const untilNoClaim = (cluster: TestCluster) =>
  cluster.eventually(resourceClaims, (claims) => (claims.length === 0 ? true : undefined))

const untilNamed = (cluster: TestCluster, name: string) =>
  cluster.eventually(pods, (list) =>
    list.find(
      ({ metadata, status }) => metadata.name === name && status?.resourceClaimStatuses?.[0]?.resourceClaimName,
    ),
  )

/** As a scheduler does: devices for the claim, and the pod as its user. */
async function allocate({ client }: TestCluster, name: string, user?: Pod): Promise<ResourceClaim> {
  const claim = await client.of(resourceClaims).get(at(name))
  const finalizers = [PROTECTION]
  const held = await client.of(resourceClaims).update({ ...claim, metadata: { ...claim.metadata, finalizers } })
  const results = [{ request: 'one', driver: 'gpu.example.com', pool: 'pool', device: 'gpu-0' }]
  const uses = user && [{ resource: 'pods', name: user.metadata.name ?? '', uid: user.metadata.uid ?? '' }]
  const status = { allocation: { devices: { results } }, reservedFor: uses }
  return client.of(resourceClaims).update({ ...held, status }, { subresource: 'status' })
}

async function finish({ client }: TestCluster, name: string): Promise<void> {
  const body = { status: { phase: 'Succeeded' } }
  await client.of(pods).patch(at(name), { type: 'merge', body }, { subresource: 'status' })
}

test('a pod gets a claim of its own, and its status says which', async () => {
  await using cluster = await start()
  await addTemplate(cluster)
  const made = await addPod(cluster, 'web', [{ name: 'card', resourceClaimTemplateName: 'gpu' }])
  const named = await untilNamed(cluster, 'web')
  const { metadata, spec } = await untilClaim(cluster)
  expect(metadata.name).toMatch(/^web-card-[a-z0-9]{5}$/)
  expect(named.status?.resourceClaimStatuses).toEqual([{ name: 'card', resourceClaimName: metadata.name }])
  expect(metadata.labels).toEqual({ from: 'template' })
  expect(metadata.annotations).toEqual({ kept: 'yes', 'resource.kubernetes.io/pod-claim-name': 'card' })
  expect(metadata.ownerReferences).toMatchObject([
    { kind: 'Pod', name: 'web', uid: made.metadata.uid, controller: true },
  ])
  expect(spec.devices?.requests?.[0]?.exactly?.deviceClassName).toBe('gpu')
})

test('names that are too long together are both shortened', async () => {
  await using cluster = await start()
  await addTemplate(cluster)
  await addPod(cluster, 'p'.repeat(50), [{ name: 'c'.repeat(20), resourceClaimTemplateName: 'gpu' }])
  const { metadata } = await untilClaim(cluster)
  expect(metadata.generateName).toBe(`${'p'.repeat(39)}-${'c'.repeat(15)}`)
})

test('a pod whose template comes later gets its claim then', async () => {
  await using cluster = await start()
  await addPod(cluster, 'web', [{ name: 'card', resourceClaimTemplateName: 'gpu' }])
  const event = await cluster.eventually(events, (list) =>
    list.find(({ reason }) => reason === 'FailedResourceClaimCreation'),
  )
  expect(event.message).toBe(
    'PodResourceClaim card: resource claim template "gpu": resourceclaimtemplate.resource.k8s.io "gpu" not found',
  )
  await addTemplate(cluster)
  await untilNamed(cluster, 'web')
})

test('a claim that was deleted too early is made again', async () => {
  await using cluster = await start()
  await addTemplate(cluster)
  await addPod(cluster, 'web', [{ name: 'card', resourceClaimTemplateName: 'gpu' }])
  await untilNamed(cluster, 'web')
  const first = await untilClaim(cluster)
  await cluster.client.of(resourceClaims).delete(at(first.metadata.name ?? ''))
  const second = await untilClaim(cluster, ({ metadata }) => metadata.uid !== first.metadata.uid)
  await cluster.eventually(pods, (list) =>
    list.find(({ status }) => status?.resourceClaimStatuses?.[0]?.resourceClaimName === second.metadata.name),
  )
})

test('the own claim of a pod that is done goes, with the devices', async () => {
  await using cluster = await start()
  await addTemplate(cluster)
  const user = await addPod(cluster, 'web', [{ name: 'card', resourceClaimTemplateName: 'gpu' }])
  await untilNamed(cluster, 'web')
  const { metadata } = await untilClaim(cluster)
  await allocate(cluster, metadata.name ?? '', user)
  await finish(cluster, 'web')
  await untilNoClaim(cluster)
})

test('a shared claim keeps its devices until its last user is done', async () => {
  await using cluster = await start()
  await cluster.client.of(resourceClaims).create({ metadata: at('shared'), spec: DEVICES })
  const claims = [{ name: 'card', resourceClaimName: 'shared' }]
  const first = await addPod(cluster, 'first', claims, 'node-1')
  await allocate(cluster, 'shared', first)
  const second = await addPod(cluster, 'second', claims, 'node-1')
  const both = await untilClaim(cluster, ({ status }) => status?.reservedFor?.length === 2)
  expect(both.status?.reservedFor?.[1]).toEqual({ resource: 'pods', name: 'second', uid: second.metadata.uid })
  await finish(cluster, 'first')
  const held = await untilClaim(cluster, ({ status }) => status?.reservedFor?.length === 1)
  expect(held.status?.allocation).toBeDefined()
  await cluster.client.of(pods).delete(at('second'), { gracePeriodSeconds: 0 })
  const free = await untilClaim(cluster, ({ metadata }) => (metadata.finalizers ?? []).length === 0)
  expect(free.status ?? {}).toEqual({})
})

test('a claim that is to be deleted waits for its users', async () => {
  await using cluster = await start()
  await cluster.client.of(resourceClaims).create({ metadata: at('shared'), spec: DEVICES })
  const user = await addPod(cluster, 'web', [{ name: 'card', resourceClaimName: 'shared' }], 'node-1')
  await allocate(cluster, 'shared', user)
  await cluster.client.of(resourceClaims).delete(at('shared'))
  await finish(cluster, 'web')
  await untilNoClaim(cluster)
})

test('what was allocated and never used goes with its claim', async () => {
  await using cluster = await start()
  await cluster.client.of(resourceClaims).create({ metadata: at('shared'), spec: DEVICES })
  await allocate(cluster, 'shared')
  await cluster.client.of(resourceClaims).delete(at('shared'))
  await untilNoClaim(cluster)
})
