/**
 * Goal: rights to custom resources in one namespace give nothing of other namespaces, of the cluster or of resources with
 * similar names. Method: definitions of both scopes and of names that begin alike, a tenant who may do everything with
 * one of them in a namespace, and every way to name another (CVE-2019-11247, CVE-2022-3162).
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { customResourceDefinitions } from '../../../../src/apis/apiextensions/custom-resource-definition.ts'
import type { CustomResourceDefinition } from '../../../../src/apis/apiextensions/types.gen.ts'
import { namespaces } from '../../../../src/apis/core/namespace.ts'
import { roles } from '../../../../src/apis/rbac/role.ts'
import { roleBindings } from '../../../../src/apis/rbac/role-binding.ts'
import { systemClock } from '../../../../src/base/clock.ts'
import { SYSTEM } from '../../../../src/cluster/identities.ts'
import type { KeyPair } from '../../../../src/server/auth/certificate-authority.ts'
import { type OpenedControlPlane, openControlPlane } from '../../../support/control-plane.ts'

const ROOT = '/apis/example.com/v1'
/** In every object that is not the tenant's; its name may well be said again by a refusal. */
const CANARY = 'canary-93d1'
const OTHER = 'other'

let server: OpenedControlPlane
let admin: KeyPair
let tenant: KeyPair
beforeAll(async () => {
  server = await openControlPlane()
  admin = await server.user('admin', 'system:masters')
  tenant = await server.user('tenant')
  const client = server.controlPlane.clientAs(SYSTEM)
  for (const name of ['own', 'victim']) await client.of(namespaces).create({ metadata: { name }, spec: {} })
  for (const [plural, kind, scope] of [
    ['widgets', 'Widget', 'Namespaced'],
    ['widgetsets', 'WidgetSet', 'Namespaced'],
    ['clusterwidgets', 'ClusterWidget', 'Cluster'],
  ] as const)
    await client.of(customResourceDefinitions).create(definitionOf(plural, kind, scope))
  for (const [path, kind, name] of [
    [`${ROOT}/namespaces/own/widgets`, 'Widget', 'mine'],
    [`${ROOT}/namespaces/victim/widgets`, 'Widget', OTHER],
    [`${ROOT}/namespaces/own/widgetsets`, 'WidgetSet', OTHER],
    [`${ROOT}/clusterwidgets`, 'ClusterWidget', OTHER],
  ] as const)
    await eventuallyCreated(path, {
      apiVersion: 'example.com/v1',
      kind,
      metadata: { name, annotations: name === OTHER ? { canary: CANARY } : {} },
    })
  await client.of(roles).create({
    metadata: { name: 'widgets', namespace: 'own' },
    rules: [{ apiGroups: ['example.com'], resources: ['widgets', 'clusterwidgets'], verbs: ['*'] }],
  })
  await client.of(roleBindings).create({
    metadata: { name: 'widgets', namespace: 'own' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'widgets' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'tenant' }],
  })
})
afterAll(() => server[Symbol.asyncDispose]())

function definitionOf(plural: string, kind: string, scope: string) {
  const schema = { openAPIV3Schema: { type: 'object' } }
  const spec: CustomResourceDefinition['spec'] = {
    ...{ group: 'example.com', scope, names: { plural, singular: kind.toLowerCase(), kind } },
    versions: [{ name: 'v1', served: true, storage: true, schema }],
  }
  return { metadata: { name: `${plural}.example.com` }, spec }
}

/** The definition is served a moment after it was made. */
async function eventuallyCreated(path: string, body: object): Promise<void> {
  while ((await server.ask('POST', path, { as: admin, body })).status !== 201) await systemClock.sleep(20)
}

test('the tenant has their own', async () => {
  const { status, json } = await server.ask('GET', `${ROOT}/namespaces/own/widgets`, { as: tenant })
  expect(status).toBe(200)
  expect(json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(['mine'])
})

const token = (start: string) =>
  Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: -1, start })).toString('base64url')

describe('nothing else comes by', () => {
  for (const path of [
    `${ROOT}/widgets`,
    `${ROOT}/clusterwidgets`,
    `${ROOT}/clusterwidgets/${OTHER}`,
    `${ROOT}/namespaces/own/clusterwidgets`,
    `${ROOT}/namespaces/own/clusterwidgets/${OTHER}`,
    `${ROOT}/namespaces/victim/widgets/${OTHER}`,
    `${ROOT}/namespaces/own/widgetsets`,
    `${ROOT}/namespaces/own/widgets/../widgetsets/${OTHER}`,
    `${ROOT}/namespaces/own/widgets/..%2f..%2fvictim%2fwidgets%2f${OTHER}`,
    `${ROOT}/namespaces/own/../victim/widgets`,
    `${ROOT}/namespaces/own%2f..%2fvictim/widgets`,
    `${ROOT}/namespaces//widgets`,
    `${ROOT}/namespaces/own/widgets?limit=10&continue=${token('../victim/widgets/')}`,
    `${ROOT}/namespaces/own/widgets?limit=10&continue=${token('own/')}`,
    `${ROOT}/namespaces/own/widgets?limit=10&continue=${token('a')}`,
    `${ROOT}/namespaces/own/widgets?fieldSelector=metadata.namespace=victim`,
    `${ROOT}/namespaces/own/widgets?fieldSelector=metadata.name=${OTHER}`,
    `${ROOT}/namespaces/own/widgets?watch=true&timeoutSeconds=1&resourceVersion=1`,
  ])
    test(path, async () => {
      expect((await server.ask('GET', path, { as: tenant })).text).not.toContain(CANARY)
    })

  test('what the tenant did not get is there', async () => {
    const { text } = await server.ask('GET', `${ROOT}/namespaces/victim/widgets/${OTHER}`, { as: admin })
    expect(text).toContain(CANARY)
  })

  test('a write that names another namespace in its body', async () => {
    const body = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'x', namespace: 'victim' } }
    expect((await server.ask('POST', `${ROOT}/namespaces/own/widgets`, { as: tenant, body })).status).toBe(400)
    expect((await server.ask('GET', `${ROOT}/namespaces/victim/widgets/x`, { as: admin })).status).toBe(404)
  })
})
