import { expect, test } from 'vitest'
import { planRootCa, ROOT_CA_NAME } from './root-ca-publisher.ts'
import { planServiceAccount } from './service-account.ts'

const DATA = { 'ca.crt': 'PEM' }
const published = (data: Readonly<Record<string, string>>) => ({
  metadata: { namespace: 'web', name: ROOT_CA_NAME },
  data,
})

test('a namespace without a default account gets one', () => {
  expect(planServiceAccount({ namespace: 'web', exists: false }).actions).toMatchObject([
    { do: 'create', object: { metadata: { namespace: 'web', name: 'default' } } },
  ])
  expect(planServiceAccount({ namespace: 'web', exists: true }).actions).toEqual([])
})

test('a namespace without the certificate gets it', () => {
  expect(planRootCa({ namespace: 'web', existing: undefined, certificate: 'PEM' }).actions).toMatchObject([
    { do: 'create', object: { metadata: { namespace: 'web', name: 'kube-root-ca.crt' }, data: DATA } },
  ])
})

test('what somebody made of the certificate is put right, and only then', () => {
  const changed = published({ 'ca.crt': 'other', more: 'x' })
  expect(planRootCa({ namespace: 'web', existing: changed, certificate: 'PEM' }).actions).toMatchObject([
    { do: 'update', object: { data: DATA } },
  ])
  expect(planRootCa({ namespace: 'web', existing: published(DATA), certificate: 'PEM' }).actions).toEqual([])
})
