/** What clients learn of aggregated servers: groups, resources and OpenAPI, while the servers live and when they died. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiServices } from '../../../src/apis/apiregistration/api-service.ts'
import { type AggregatedServer, startAggregatedServer } from '../../support/aggregated-server.ts'
import { GROUP, type Opened, openAggregation, ROOT, register, until } from './opened.ts'

let opened: Opened
let old: AggregatedServer

const OLD = { group: 'old.example.com', version: 'v1beta1' }
const METRICS = { group: 'metrics.k8s.io', version: 'v1beta1' }

beforeAll(async () => {
  opened = await openAggregation()
  old = await startAggregatedServer({ ...OLD, names: ['gadgets.default.svc'], old: true })
  await register(opened.client, old, OLD)
})
afterAll(async () => {
  await old?.[Symbol.asyncDispose]()
  await opened?.[Symbol.asyncDispose]()
})

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const json = async (path: string, headers: Readonly<Record<string, string>> = {}) =>
  (await opened.plane.ask('GET', path, { as: opened.admin, headers })).json

interface Version {
  readonly version: string
  readonly freshness: string
  readonly resources?: readonly { readonly resource: string; readonly responseKind: { readonly kind: string } }[]
}
const versionsOf = async (group: string): Promise<readonly Version[] | undefined> => {
  const { items } = await json('/apis', { accept: AGGREGATED })
  return items.find(({ metadata }: { metadata: { name: string } }) => metadata.name === group)?.versions
}
const becomes = (group: string, freshness: string) =>
  until(async () => (await versionsOf(group))?.[0]?.freshness === freshness)
const gadgets = {
  resource: 'gadgets',
  scope: 'Namespaced',
  responseKind: { kind: 'Gadget' },
  singularResource: 'gadget',
}

describe('an aggregated server that lives', () => {
  test('has its group where its priority puts it', async () => {
    const names = (await json('/apis')).groups.map(({ name }: { name: string }) => name)
    expect(names[0]).toBe('apiregistration.k8s.io')
    expect(names.indexOf(GROUP)).toBeGreaterThan(names.indexOf('flowcontrol.apiserver.k8s.io'))
    expect(names.indexOf(GROUP)).toBeLessThan(names.indexOf(METRICS.group))
    expect(await json(`/apis/${GROUP}`)).toMatchObject({
      name: GROUP,
      preferredVersion: { groupVersion: `${GROUP}/v1`, version: 'v1' },
    })
    expect((await json('/')).paths).toEqual(expect.arrayContaining([`/apis/${GROUP}`, ROOT]))
  })

  test('shows its resources in the one document about everything', async () => {
    await becomes(GROUP, 'Current')
    expect(await versionsOf(GROUP)).toMatchObject([{ version: 'v1', freshness: 'Current', resources: [gadgets] }])
  })

  test('may be one that has only the old documents', async () => {
    await becomes(OLD.group, 'Current')
    expect(await versionsOf(OLD.group)).toMatchObject([{ version: 'v1beta1', resources: [gadgets] }])
  })

  test('has its OpenAPI documents beside those of this server, and only its own', async () => {
    await until(async () => (await json('/openapi/v3')).paths[`apis/${GROUP}/v1`] !== undefined)
    const { paths } = await json('/openapi/v3')
    expect(paths[`apis/${GROUP}/v1`]).toEqual({ serverRelativeURL: `/openapi/v3${ROOT}?hash=2` })
    expect(paths['apis/apps/v1'].serverRelativeURL).toMatch(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]+$/)
    expect(paths.version.serverRelativeURL).not.toContain('hash=3')
    expect(await json(`/openapi/v3${ROOT}?hash=2`)).toMatchObject({ info: { title: 'gadgets' } })
    expect(await json(`/openapi/v3/apis/${GROUP}`)).toMatchObject({ info: { title: 'the group of gadgets' } })
  })

  test('has its part of the OpenAPI document of everything, with names of its own where they differ', async () => {
    const path = `${ROOT}/namespaces/{namespace}/gadgets`
    await until(async () => (await json('/openapi/v2')).paths[path] !== undefined)
    const { paths, definitions } = await json('/openapi/v2')
    const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'
    expect(definitions['com.example.Gadget'].properties.metadata).toEqual({ $ref: `#/definitions/${meta}_v2` })
    expect(definitions[`${meta}_v2`]).toEqual({ type: 'object', description: 'another one' })
    expect(definitions[meta].properties).toHaveProperty('finalizers')
    expect(definitions).not.toHaveProperty('unused')
    expect(paths['/api/v1/pods'].get.operationId).not.toBe('stolen')
    const protobuf = await opened.plane.ask('GET', '/openapi/v2', {
      as: opened.admin,
      headers: { accept: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf' },
    })
    expect(protobuf.text).toContain('com.example.Gadget')
  })
})

test('what only an old server says of its objects is said in the new form, too', async () => {
  const name = `apis/${OLD.group}/${OLD.version}`
  await until(async () => (await json('/openapi/v3')).paths[name] !== undefined)
  const { serverRelativeURL } = (await json('/openapi/v3')).paths[name]
  const { components, paths } = await json(serverRelativeURL)
  const meta = { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }
  expect(components.schemas['com.example.Gadget'].properties).toEqual({ metadata: meta })
  expect(paths[`/${name}/namespaces/{namespace}/gadgets`].get).toMatchObject({ operationId: 'listGadgets' })
})

test('where another server is registered for a version, this one does not serve it', async () => {
  await using other = await startAggregatedServer({ ...METRICS, names: ['gadgets.default.svc'] })
  expect(await json('/apis/metrics.k8s.io/v1beta1')).toMatchObject({ resources: [{ name: 'nodes' }, { name: 'pods' }] })
  await register(opened.client, other, METRICS)
  await until(async () => (await json('/apis/metrics.k8s.io/v1beta1')).resources?.[0].name === 'gadgets')
  await until(async () => (await versionsOf(METRICS.group))?.[0]?.resources?.[0]?.resource === 'gadgets')
  const path = '/apis/metrics.k8s.io/v1beta1/namespaces/default/gadgets'
  await expect(opened.client.raw({ path })).resolves.toMatchObject({
    status: 200,
    body: { object: { kind: 'GadgetList' } },
  })
  await opened.client.of(apiServices).delete({ name: 'v1beta1.metrics.k8s.io' })
  await until(async () => (await json('/apis/metrics.k8s.io/v1beta1')).resources?.[0].name === 'nodes')
})

describe('an aggregated server that died', () => {
  test('takes nothing of the others with it', async () => {
    await becomes(GROUP, 'Current')
    await opened.backend.stop()
    // Whatever is said anew about a server is a reason to look at it.
    const { spec, ...others } = await opened.client.of(apiServices).get({ name: `v1.${GROUP}` })
    await opened.client.of(apiServices).update({ ...others, spec: { ...spec, versionPriority: 11 } })
    await becomes(GROUP, 'Stale')
    expect(await versionsOf(GROUP)).toEqual([{ version: 'v1', freshness: 'Stale' }])
    expect(await versionsOf('apps')).toMatchObject([{ version: 'v1', freshness: 'Current' }])
    expect(await versionsOf(OLD.group)).toMatchObject([{ freshness: 'Current' }])
    expect(await opened.plane.ask('GET', ROOT, { as: opened.admin })).toMatchObject({ status: 503 })
    expect(await opened.plane.ask('GET', '/apis', { as: opened.admin })).toMatchObject({ status: 200 })
    expect(await opened.plane.ask('GET', '/openapi/v2', { as: opened.admin })).toMatchObject({ status: 200 })
    expect((await json('/openapi/v3')).paths).toHaveProperty(['apis/apps/v1'])
    expect(await opened.plane.ask('GET', '/apis/old.example.com/v1beta1', { as: opened.admin })).toMatchObject({
      status: 200,
    })
    expect(await opened.plane.ask('GET', '/readyz', { as: opened.admin })).toMatchObject({ status: 200 })
  })

  test('is forgotten with its registration', async () => {
    await opened.client.of(apiServices).delete({ name: `v1.${GROUP}` })
    await until(async () => (await versionsOf(GROUP)) === undefined)
    expect(await opened.plane.ask('GET', ROOT, { as: opened.admin })).toMatchObject({ status: 404 })
    expect((await json('/openapi/v3')).paths).not.toHaveProperty([`apis/${GROUP}/v1`])
  })
})
