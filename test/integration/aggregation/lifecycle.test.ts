/** The controllers that work on everything there is, with an aggregated server among it, before and after its death. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { apiServices } from '../../../src/apis/apiregistration/api-service.ts'
import { configMaps } from '../../../src/apis/core/config-map.ts'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { createInformers } from '../../../src/client/informers.ts'
import { rawObject } from '../../../src/client/raw-object.ts'
import { controllerIdentities } from '../../../src/cluster/identities.ts'
import { availabilityController } from '../../../src/controllers/extensions/availability.ts'
import { garbageCollector } from '../../../src/controllers/garbage/garbage-collector.ts'
import { namespaceController } from '../../../src/controllers/namespaces/namespace.ts'
import { startControllers } from '../../../src/controllers/runtime/manager.ts'
import { undefinedIfNotFound } from '../../../src/machinery/meta/api-error.ts'
import type { KubeList, KubeObject } from '../../../src/machinery/meta/object.ts'
import { GADGETS, GROUP, type Opened, openAggregation, ROOT, until } from './opened.ts'

let opened: Opened
const stack = new AsyncDisposableStack()

beforeAll(async () => {
  opened = stack.use(await openAggregation())
  const { controlPlane, environment } = opened.plane
  const { clock, random, log } = environment
  const informers = stack.use(createInformers({ client: opened.client, clock, random, log }))
  const controllers = [
    namespaceController,
    garbageCollector,
    availabilityController(controlPlane.server.aggregation.check),
  ]
  const identityOf = controllerIdentities()
  const clientOf = (controller: string) => controlPlane.clientAs(identityOf(controller))
  stack.use(startControllers(controllers, { clientOf, informers, clock, random, log }))
})
afterAll(() => stack.disposeAsync())

const gadget = (namespace: string, name: string, more: object = {}) =>
  rawObject(opened.client, {
    method: 'POST',
    path: `${ROOT}/namespaces/${namespace}/gadgets`,
    object: { apiVersion: `${GROUP}/v1`, kind: 'Gadget', metadata: { name, ...more } },
  })
const gadgetNames = async (namespace: string) => {
  const list = await rawObject<Omit<KubeList<KubeObject>, 'items'> & { readonly items: readonly KubeObject[] | null }>(
    opened.client,
    { path: `${ROOT}/namespaces/${namespace}/gadgets` },
  )
  return (list.items ?? []).map(({ metadata }) => metadata.name)
}
const configMap = (
  namespace: string,
  name: string,
  owner?: { readonly kind: string; readonly apiVersion: string; readonly name: string; readonly uid: string },
) => opened.client.of(configMaps).create({ metadata: { namespace, name, ...(owner && { ownerReferences: [owner] }) } })
const isGone = async (namespace: string, name: string) =>
  (await opened.client.of(configMaps).get({ namespace, name }).catch(undefinedIfNotFound)) === undefined
const terminating = async (name: string) => {
  const namespace = await opened.client.of(namespaces).get({ name }).catch(undefinedIfNotFound)
  return namespace?.status?.conditions?.find(({ type }) => type === 'NamespaceDeletionDiscoveryFailure')
}
const available = async () => {
  const { status } = await opened.client.of(apiServices).get({ name: `v1.${GROUP}` })
  return status?.conditions?.find(({ type }) => type === 'Available')
}

test('a namespace takes what it has on an aggregated server with it', async () => {
  await opened.client.of(namespaces).create({ metadata: { name: 'first' }, spec: {} })
  await gadget('first', 'one')
  await gadget('default', 'kept')
  await opened.client.of(namespaces).delete({ name: 'first' })
  await until(
    async () => (await opened.client.of(namespaces).get({ name: 'first' }).catch(undefinedIfNotFound)) === undefined,
  )
  expect(await gadgetNames('first')).toEqual([])
  expect(await gadgetNames('default')).toEqual(['kept'])
  const deletion = opened.backend.received.find(({ method, url }) => method === 'DELETE' && url.includes('/first/'))
  expect(deletion?.headers).toContainEqual(['x-remote-user', 'system:serviceaccount:kube-system:namespace-controller'])
})

test('what it owns goes with it, and what owns it takes it along', async () => {
  await gadget('default', 'owner')
  await configMap('default', 'owned', { apiVersion: `${GROUP}/v1`, kind: 'Gadget', name: 'owner', uid: 'uid-owner' })
  const above = await configMap('default', 'above')
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'above', uid: above.metadata.uid }
  await gadget('default', 'below', { ownerReferences: [reference] })
  await rawObject(opened.client, { method: 'DELETE', path: `${GADGETS}/owner` })
  await opened.client.of(configMaps).delete({ namespace: 'default', name: 'above' })
  await until(() => isGone('default', 'owned'))
  await until(async () => !(await gadgetNames('default')).includes('below'))
})

test('its death is seen, and holds up only what is of it', async () => {
  expect(await available()).toMatchObject({ status: 'True', reason: 'Passed', message: 'all checks passed' })
  const owner = await configMap('default', 'owner')
  const { uid = '' } = owner.metadata
  await configMap('default', 'dependent', { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid })
  await opened.backend.stop()
  const { spec, ...others } = await opened.client.of(apiServices).get({ name: `v1.${GROUP}` })
  await opened.client.of(apiServices).update({ ...others, spec: { ...spec, versionPriority: 11 } })
  await until(async () => (await available())?.status === 'False')
  expect(await available()).toMatchObject({
    reason: 'FailedDiscoveryCheck',
    message: expect.stringMatching(
      /^failing or missing response from https:\/\/localhost:\d+\/apis\/gadgets.example.com\/v1: Get "https:.*": dial tcp .*: connect: connection refused$/,
    ),
  })
  const { text } = await opened.plane.ask('GET', '/metrics', { as: opened.admin })
  expect(text).toContain(`aggregator_unavailable_apiservice{name="v1.${GROUP}"} 1`)
  expect(text).toContain(`aggregator_unavailable_apiservice_total{name="v1.${GROUP}",reason="FailedDiscoveryCheck"} 1`)
  await opened.client.of(configMaps).delete({ namespace: 'default', name: 'owner' })
  await until(() => isGone('default', 'dependent'))
  await opened.client.of(namespaces).create({ metadata: { name: 'second' }, spec: {} })
  await configMap('second', 'one')
  await opened.client.of(namespaces).delete({ name: 'second' })
  await until(async () => (await terminating('second'))?.status === 'True')
  expect((await terminating('second'))?.message).toContain(`${GROUP}/v1: stale GroupVersion discovery: ${GROUP}/v1`)
  expect(await isGone('second', 'one')).toBe(true)
  await opened.client.of(apiServices).delete({ name: `v1.${GROUP}` })
  await until(
    async () => (await opened.client.of(namespaces).get({ name: 'second' }).catch(undefinedIfNotFound)) === undefined,
  )
})
