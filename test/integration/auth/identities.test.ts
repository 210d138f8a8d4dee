/** A whole cluster on a simulated node, whose parts have the rights of their roles and no more. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { deployments } from '../../../src/apis/apps/deployment.ts'
import { configMaps } from '../../../src/apis/core/config-map.ts'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { services } from '../../../src/apis/core/service/definition.ts'
import { endpointSlices } from '../../../src/apis/discovery/endpoint-slice.ts'
import { clusterRoles } from '../../../src/apis/rbac/cluster-role.ts'
import { systemClock } from '../../../src/base/clock.ts'
import type { Client } from '../../../src/client/client.ts'
import { type Cluster, createCluster } from '../../../src/cluster/cluster.ts'
import { resolveConfig } from '../../../src/cluster/config.ts'
import { createEnvironment } from '../../../src/cluster/environment.ts'

let home: string
let cluster: Cluster
let admin: Client

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 't8s-auth-'))
  const config = resolveConfig({
    ...{ home, name: 'auth', storage: 'memory', port: 0, nodes: 1, runtime: 'simulated' },
    ...{ podCidr: '10.221.0.0/16', serviceCidr: '10.222.0.0/16', logLevel: 'error' },
  })
  cluster = await createCluster(config, createEnvironment({ logLevel: 'error', logDestination: 2, directory: home }))
  admin = cluster.controlPlane.clientAs({ name: 't8s-admin', groups: ['t8s:admins', 'system:authenticated'] })
  await cluster.ready
})
afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
  await rm(home, { recursive: true, force: true })
})

async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await systemClock.sleep(20)
  }
}

async function refusals(): Promise<readonly string[]> {
  const { body } = await admin.raw({ path: '/metrics' })
  const text = body.type === 'bytes' ? Buffer.concat([body.bytes].flat()).toString() : ''
  return text.split('\n').filter((line) => line.startsWith('apiserver_request_total') && line.includes('code="403"'))
}

test('a deployment comes up, is served and goes, and no part of the cluster is refused anything', async () => {
  const labels = { app: 'web' }
  const key = { namespace: 'default', name: 'web' }
  await admin.of(deployments).create({
    metadata: key,
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'app:1' }] } },
    },
  })
  await admin.of(services).create({ metadata: key, spec: { selector: labels, ports: [{ port: 80 }] } })
  await eventually(async () =>
    (await admin.of(deployments).get(key)).status?.availableReplicas === 2 ? true : undefined,
  )
  await eventually(async () => {
    const { items } = await admin
      .of(endpointSlices)
      .list({ namespace: 'default', labelSelector: 'kubernetes.io/service-name=web' })
    return items[0]?.endpoints?.length === 2 ? true : undefined
  })
  await admin.of(deployments).delete(key, { propagationPolicy: 'Foreground' })
  await eventually(async () =>
    (await admin.of(pods).list({ namespace: 'default' })).items.length === 0 ? true : undefined,
  )
  await admin.of(namespaces).create({ metadata: { name: 'short-lived' }, spec: {} })
  await admin.of(namespaces).delete({ name: 'short-lived' })
  await eventually(async () =>
    (await admin.of(namespaces).list()).items.some(({ metadata }) => metadata.name === 'short-lived')
      ? undefined
      : true,
  )
  expect(await refusals()).toEqual([])
})

test('API servers behind this one learn whom to trust, again when that is deleted', async () => {
  const key = { namespace: 'kube-system', name: 'extension-apiserver-authentication' }
  const look = () =>
    eventually(async () =>
      (await admin.of(configMaps).list({ namespace: key.namespace })).items.find(
        ({ metadata }) => metadata.name === key.name,
      ),
    )
  const { authority } = await cluster.controlPlane.frontProxy()
  expect((await look()).data).toMatchObject({
    'client-ca-file': cluster.controlPlane.authority.certificate,
    'requestheader-client-ca-file': authority,
  })
  await admin.of(configMaps).delete(key)
  await look()
})

test('a refusal is counted', async () => {
  const jane = cluster.controlPlane.clientAs({ name: 'jane', groups: ['system:authenticated'] })
  const message = 'pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope'
  await expect(jane.of(pods).list()).rejects.toThrow(message)
  expect(await refusals()).toHaveLength(1)
})

test('the roles that people are given hold the rights of their parts', async () => {
  const role = await eventually(async () => {
    const found = await admin.of(clusterRoles).get({ name: 'view' })
    return found.rules?.length ? found : undefined
  })
  expect(role.rules?.some(({ resources }) => resources?.includes('configmaps'))).toBe(true)
})
