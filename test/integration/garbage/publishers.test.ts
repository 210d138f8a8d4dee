/** What every living namespace has: an account and the cluster's certificate. */

import { expect, test } from 'vitest'
import { configMaps } from '../../../src/apis/core/config-map.ts'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { serviceAccounts } from '../../../src/apis/core/service-account.ts'
import { namespaceController } from '../../../src/controllers/namespaces/namespace.ts'
import { rootCaPublisher } from '../../../src/controllers/namespaces/root-ca-publisher.ts'
import { serviceAccountController } from '../../../src/controllers/namespaces/service-account.ts'
import { namespace } from '../../support/builders.ts'
import { startCluster } from './cluster.ts'

const ACCOUNT = { namespace: 'web', name: 'default' }
const CERTIFICATE = { namespace: 'web', name: 'kube-root-ca.crt' }
const CONTROLLERS = [namespaceController, serviceAccountController, rootCaPublisher('PEM')]

test('account and certificate come, come back when they are deleted, and go with the namespace', async () => {
  await using cluster = await startCluster(CONTROLLERS)
  const { client } = cluster
  await client.of(namespaces).create(namespace('web'))
  const first = await cluster.until(serviceAccounts, ACCOUNT, () => true)
  await cluster.until(configMaps, CERTIFICATE, ({ data }) => data?.['ca.crt'] === 'PEM')
  await client.of(serviceAccounts).delete(ACCOUNT)
  await cluster.until(serviceAccounts, ACCOUNT, ({ metadata }) => metadata.uid !== first.metadata.uid)
  await client.of(configMaps).patch(CERTIFICATE, { type: 'merge', body: { data: { 'ca.crt': 'forged' } } })
  await cluster.until(configMaps, CERTIFICATE, ({ data }) => data?.['ca.crt'] === 'PEM')
  await client.of(namespaces).delete({ name: 'web' })
  await cluster.untilGone(namespaces, { name: 'web' })
  const left = await Promise.all([client.of(serviceAccounts).list(), client.of(configMaps).list()])
  expect(left.flatMap(({ items }) => items)).toEqual([])
})
