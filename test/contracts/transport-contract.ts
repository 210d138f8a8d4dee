/**
 * What a client may expect of its server, whatever carries its requests: the same objects, the same errors, the
 * same watches, frozen. `open` starts a server with the definitions given here and connects to it.
 */

import { describe, expect, test } from 'vitest'
import { deployments } from '../../src/apis/apps/deployment.ts'
import { configMaps } from '../../src/apis/core/config-map.ts'
import { nodes } from '../../src/apis/core/node.ts'
import { pods } from '../../src/apis/core/pod/definition.ts'
import { serviceAccounts } from '../../src/apis/core/service-account.ts'
import type { ResourceDefinition } from '../../src/apis/definition.ts'
import type { Client } from '../../src/client/client.ts'
import { createClient } from '../../src/client/resource-client.ts'
import type { Transport } from '../../src/client/transport.ts'
import { ApiError } from '../../src/machinery/meta/api-error.ts'
import { deployment, node, pod } from '../support/builders.ts'

export const CONTRACT_DEFINITIONS: readonly ResourceDefinition[] = [
  configMaps,
  deployments,
  nodes,
  pods,
  serviceAccounts,
]

export interface Opened extends AsyncDisposable {
  readonly transport: Transport
}

const map = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}) => ({
  metadata: { name, namespace: 'default', labels },
  data,
})
const key = (name: string) => ({ namespace: 'default', name })

async function failureOf(work: Promise<unknown>): Promise<ApiError> {
  const error = await work.then(
    () => new Error('it did not fail'),
    (failure: unknown) => failure,
  )
  if (error instanceof ApiError) return error
  throw error
}

export function describeTransport(name: string, open: () => Promise<Opened>): void {
  const withClient = async (use: (client: Client) => Promise<void>) => {
    await using opened = await open()
    await use(createClient(opened.transport))
  }
  describe(`${name} transport`, () => {
    describeObjects(withClient)
    describeWrites(withClient)
    describeErrors(withClient)
    describeWatches(withClient)
    describeOtherPaths(withClient)
  })
}

type WithClient = (use: (client: Client) => Promise<void>) => Promise<void>

function describeObjects(withClient: WithClient): void {
  test('objects come back with their kind, frozen, alone and in lists', () =>
    withClient(async (client) => {
      const created = await client.of(configMaps).create(map('a', { key: 'välue' }))
      expect(created).toMatchObject({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'a' },
        data: { key: 'välue' },
      })
      const got = await client.of(configMaps).get(key('a'))
      expect(got).toEqual(created)
      const { items, metadata } = await client.of(configMaps).list()
      expect(items).toEqual([created])
      expect(metadata.resourceVersion).toBe(created.metadata.resourceVersion)
      for (const object of [created, got, ...items])
        expect([object, object.metadata, object.data].every(Object.isFrozen)).toBe(true)
    }))

  test('names that look like syntax arrive as names', () =>
    withClient(async (client) => {
      for (const name of ['..', 'a/b', 'a?b', 'a%2Fb', 'a b', '__proto__', 'ä'])
        expect((await failureOf(client.of(configMaps).get(key(name)))).code).toBeGreaterThanOrEqual(400)
      await client.of(nodes).create(node({ metadata: { name: 'a.b-c' } }))
      expect((await client.of(nodes).get({ name: 'a.b-c' })).metadata.name).toBe('a.b-c')
    }))

  test('selectors, pages and namespaces choose', () =>
    withClient(async (client) => {
      for (const [name, app] of [
        ['a', 'web'],
        ['b', 'web'],
        ['c', 'db'],
      ] as const)
        await client.of(configMaps).create(map(name, {}, { app }))
      await client.of(configMaps).create({ ...map('a'), metadata: { name: 'a', namespace: 'other' } })
      const names = async (request: Parameters<ReturnType<Client['of']>['list']>[0]) =>
        (await client.of(configMaps).list(request)).items.map(
          ({ metadata }) => `${metadata.namespace}/${metadata.name}`,
        )
      expect(await names({})).toEqual(['default/a', 'default/b', 'default/c', 'other/a'])
      expect(await names({ namespace: 'other' })).toEqual(['other/a'])
      expect(await names({ labelSelector: 'app in (web),app!=db' })).toEqual(['default/a', 'default/b'])
      expect(await names({ fieldSelector: 'metadata.name=a' })).toEqual(['default/a', 'other/a'])
      const first = await client.of(configMaps).list({ limit: 3 })
      expect([first.items.length, first.metadata.remainingItemCount]).toEqual([3, 1])
      expect(await names({ limit: 3, continueToken: first.metadata.continue })).toEqual(['other/a'])
    }))

  test('metadata of any resource', () =>
    withClient(async (client) => {
      await client.of(configMaps).create(map('a', { key: 'value' }))
      const { items } = await client.metadataOf(configMaps).list()
      expect(items[0]?.metadata).toMatchObject({ name: 'a', namespace: 'default', uid: expect.any(String) })
    }))
}

function describeWrites(withClient: WithClient): void {
  test('updates, the three patches and apply', () =>
    withClient(async (client) => {
      const maps = client.of(configMaps)
      const created = await maps.create(map('a', { a: '1' }))
      expect((await maps.update({ ...created, data: { a: '2' } })).data).toEqual({ a: '2' })
      expect((await maps.patch(key('a'), { type: 'merge', body: { data: { b: '1' } } })).data).toEqual({
        a: '2',
        b: '1',
      })
      expect((await maps.patch(key('a'), { type: 'strategic', body: { data: { a: null } } })).data).toEqual({ b: '1' })
      const json = [{ op: 'add', path: '/data/c', value: '3' }]
      expect((await maps.patch(key('a'), { type: 'json', body: json })).data).toEqual({ b: '1', c: '3' })
      const applied = await maps.apply(map('a', { d: '4' }), { fieldManager: 'one' })
      expect(applied.data).toEqual({ b: '1', c: '3', d: '4' })
      expect(await failureOf(maps.apply(map('a', { d: '5' }), { fieldManager: 'two' }))).toMatchObject({ code: 409 })
      const forced = await maps.apply(map('a', { d: '5' }), { fieldManager: 'two', force: true })
      expect(forced.data?.d).toBe('5')
    }))

  test('a dry run writes nothing; a status is a place of its own', () =>
    withClient(async (client) => {
      await client.of(configMaps).create(map('dry'), { dryRun: true })
      expect((await failureOf(client.of(configMaps).get(key('dry')))).code).toBe(404)
      const web = await client.of(deployments).create(deployment())
      const status = { ...web, spec: { ...web.spec, replicas: 9 }, status: { observedGeneration: 1 } }
      const written = await client.of(deployments).update(status as typeof web, { subresource: 'status' })
      expect([written.spec?.replicas, written.status?.observedGeneration]).toEqual([1, 1])
    }))

  test('deletes under preconditions, alone and by selector', () =>
    withClient(async (client) => {
      const maps = client.of(configMaps)
      const created = await maps.create(map('a', {}, { app: 'web' }))
      expect((await failureOf(maps.delete(key('a'), { uid: 'other' }))).code).toBe(409)
      await maps.delete(key('a'), { uid: created.metadata.uid })
      for (const name of ['b', 'c']) await maps.create(map(name, {}, { app: name }))
      await maps.deleteCollection({ namespace: 'default', labelSelector: 'app=b' })
      expect((await maps.list()).items.map(({ metadata }) => metadata.name)).toEqual(['c'])
      await maps.deleteCollection({ namespace: 'default' }, { dryRun: true })
      expect((await maps.list()).items).toHaveLength(1)
    }))

  test('subresources with bodies of their own', () =>
    withClient(async (client) => {
      await client.of(serviceAccounts).create({ metadata: { name: 'robot', namespace: 'default' } })
      const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: ['a'] } }
      const token = await client.of(serviceAccounts).call('POST', key('robot'), 'token', request)
      expect(token).toMatchObject({ kind: 'TokenRequest', status: { token: 'signed' } })
      await client.of(deployments).create(deployment())
      expect(await client.of(deployments).call('GET', key('web'), 'scale')).toMatchObject({ kind: 'Scale' })
    }))
}

function describeErrors(withClient: WithClient): void {
  test.each([
    [
      'what is not there',
      (client: Client) => client.of(configMaps).get(key('none')),
      404,
      'NotFound',
      'configmaps "none" not found',
    ],
    [
      'a name that is taken',
      async (client: Client) => {
        await client.of(configMaps).create(map('a'))
        await client.of(configMaps).create(map('a'))
      },
      409,
      'AlreadyExists',
      'configmaps "a" already exists',
    ],
    [
      'a stale write',
      async (client: Client) => {
        const created = await client.of(configMaps).create(map('a'))
        await client.of(configMaps).update({ ...created, metadata: { ...created.metadata, resourceVersion: '999' } })
      },
      409,
      'Conflict',
      'Operation cannot be fulfilled on configmaps "a"',
    ],
    [
      'an invalid object',
      (client: Client) => client.of(configMaps).create(map('BAD')),
      422,
      'Invalid',
      'ConfigMap "BAD" is invalid',
    ],
    ['a bad selector', (client: Client) => client.of(configMaps).list({ labelSelector: '((' }), 400, 'BadRequest', ''],
  ] as const)('%s is an ApiError with the reason of the Status', (_, work, code, reason, message) =>
    withClient(async (client) => {
      const error = await failureOf(work(client))
      expect([error.code, error.reason]).toEqual([code, reason])
      expect(error.message).toContain(message)
      expect(error.status.kind).toBe('Status')
    }),
  )
}

function describeWatches(withClient: WithClient): void {
  test('a watch hands over what is there and what happens, typed and frozen, until it is left', () =>
    withClient(async (client) => {
      const maps = client.of(configMaps)
      await maps.create(map('a'))
      const seen: string[] = []
      for await (const { type, object } of maps.watch({ namespace: 'default', signal: new AbortController().signal })) {
        seen.push(`${type} ${object.kind} ${object.metadata.name}`)
        expect(Object.isFrozen(object) && Object.isFrozen(object.metadata)).toBe(true)
        if (seen.length === 1) await maps.patch(key('a'), { type: 'merge', body: { data: { a: '1' } } })
        if (seen.length === 2) await maps.delete(key('a'))
        if (seen.length === 3) break
      }
      expect(seen).toEqual(['ADDED ConfigMap a', 'MODIFIED ConfigMap a', 'DELETED ConfigMap a'])
    }))

  test('initial events end with a bookmark that says so', () =>
    withClient(async (client) => {
      await client.of(configMaps).create(map('a'))
      const seen: string[] = []
      const signal = new AbortController().signal
      for await (const { type, object } of client
        .of(configMaps)
        .watch({ sendInitialEvents: true, allowBookmarks: true, signal })) {
        seen.push(type)
        if (type !== 'BOOKMARK') continue
        expect(object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' })
        break
      }
      expect(seen).toEqual(['ADDED', 'BOOKMARK'])
    }))

  test('aborting ends it', () =>
    withClient(async (client) => {
      const stop = new AbortController()
      const events = client.of(configMaps).watch({ signal: stop.signal })[Symbol.asyncIterator]()
      await client.of(configMaps).create(map('a'))
      await events.next()
      const next = events.next().then(
        ({ done }) => done,
        () => true,
      )
      stop.abort()
      expect(await next).toBe(true)
    }))

  test('one that never began is an ApiError', () =>
    withClient(async (client) => {
      const signal = new AbortController().signal
      const refused = client.of(configMaps).watch({ fieldSelector: 'no.such=1', signal })[Symbol.asyncIterator]()
      expect((await failureOf(refused.next())).code).toBe(400)
    }))
}

function describeOtherPaths(withClient: WithClient): void {
  test('raw answers of every status are returned', () =>
    withClient(async (client) => {
      expect((await client.raw({ path: '/version' })).status).toBe(200)
      expect((await client.raw({ path: '/no/such/path' })).status).toBe(404)
      const headers = { 'content-type': 'application/json' }
      const object = { apiVersion: 'v1', kind: 'Pod', metadata: pod().metadata, spec: pod().spec }
      const path = '/api/v1/namespaces/default/pods'
      expect((await client.raw({ method: 'POST', path, query: { dryRun: 'All' }, headers, object })).status).toBe(201)
    }))

  test('a request whose signal has aborted fails with its reason', () =>
    withClient(async (client) => {
      await expect(client.of(configMaps).list({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
        'enough',
      )
    }))

  test('a request that is aborted on its way fails with the reason', () =>
    withClient(async (client) => {
      const stop = new AbortController()
      const listing = client.of(configMaps).list({ signal: stop.signal })
      stop.abort(new Error('enough'))
      await expect(listing).rejects.toThrow('enough')
    }))
}
