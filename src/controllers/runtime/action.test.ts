import { describe, expect, test } from 'vitest'
import { pod } from '../../../test/support/builders.ts'
import { ADMIN, createTestServer } from '../../../test/support/test-server.ts'
import { configMaps } from '../../apis/core/config-map.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import { AssertionError } from '../../base/assert.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/events.ts'
import { createLoopbackTransport } from '../../client/loopback-transport.ts'
import { createClient } from '../../client/resource-client.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import type { Handler } from '../../machinery/wire/message.ts'
import { type Action, createAction, deleteAction, execute, updateAction, updateStatusAction } from './action.ts'

const map = (name: string, data: Record<string, string> = {}) => ({ metadata: { name, namespace: 'default' }, data })

interface World extends AsyncDisposable {
  readonly client: Client
  readonly recorded: string[]
  /** Method and path of every request, and the number of creates that were under way at once, at most. */
  readonly sent: string[]
  readonly busiest: () => number
  run(actions: readonly Action[]): ReturnType<typeof execute>
  names(): Promise<readonly string[]>
}

function world(): World {
  const server = createTestServer([configMaps, pods])
  const sent: string[] = []
  const recorded: string[] = []
  let open = 0
  let busiest = 0
  const handle: Handler = async (request) => {
    sent.push(`${request.method} ${request.path.split('/').at(-1)}`)
    busiest = Math.max(busiest, ++open)
    try {
      return await server.server.handle(request)
    } finally {
      open--
    }
  }
  const client = createClient(createLoopbackTransport(handle, ADMIN))
  const events: EventRecorder = { event: (_, type, reason, message) => recorded.push(`${type} ${reason}: ${message}`) }
  return {
    client,
    recorded,
    sent,
    busiest: () => busiest,
    run: (actions) => execute(client, events, actions),
    names: async () => (await client.of(configMaps).list()).items.map(({ metadata }) => metadata.name ?? ''),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const said = (regarding: KubeObject, reason: string, message: string, type: 'Normal' | 'Warning' = 'Normal') => ({
  regarding,
  type,
  reason,
  message,
})

describe('a run of creates', () => {
  test('of any length creates each object once', async () => {
    for (const count of [1, 2, 3, 7, 255, 256, 600]) {
      await using w = world()
      const names = Array.from({ length: count }, (_, index) => `m-${String(index).padStart(3, '0')}`)
      const { effects, failure } = await w.run(names.map((name) => createAction(configMaps, map(name))))
      expect(failure).toBeUndefined()
      expect(effects).toHaveLength(count)
      expect(w.sent).toHaveLength(count)
      expect(await w.names()).toEqual(names)
      expect(w.busiest()).toBeLessThanOrEqual(256)
    }
  })

  test('that is refused from the start is tried once', async () => {
    await using w = world()
    const bad = Array.from({ length: 50 }, (_, index) => createAction(configMaps, map(`BAD_${index}`)))
    const { effects, failure } = await w.run(bad)
    expect([effects, w.sent.length]).toEqual([[], 1])
    expect(failure?.message).toContain('BAD_0')
  })

  test('tells of successes and failures in events, and goes on with the next run', async () => {
    await using w = world()
    const owner = pod()
    const report = {
      success: (created: KubeObject) => said(owner, 'SuccessfulCreate', created.metadata.name ?? ''),
      failure: () => said(owner, 'FailedCreate', 'sorry', 'Warning'),
    }
    const { failure } = await w.run([
      createAction(configMaps, map('a'), report),
      createAction(configMaps, map('a'), report),
      { do: 'event', event: said(owner, 'Other', 'more') },
    ])
    expect(failure?.message).toBe('configmaps "a" already exists')
    expect(w.recorded).toEqual(['Normal SuccessfulCreate: a', 'Warning FailedCreate: sorry', 'Normal Other: more'])
  })
})

describe('delete', () => {
  test('takes the object it was planned for and no other of that name', async () => {
    await using w = world()
    const first = await w.client.of(configMaps).create(map('a'))
    await w.client.of(configMaps).delete({ namespace: 'default', name: 'a' })
    await w.client.of(configMaps).create(map('a'))
    const success = () => said(first, 'SuccessfulDelete', 'a')
    const { effects, failure } = await w.run([deleteAction(configMaps, first, { success })])
    expect(failure).toBeUndefined()
    expect(effects).toEqual([{ definition: configMaps, deleted: first }])
    expect([await w.names(), w.recorded]).toEqual([['a'], []])
  })

  test('of what is there says so; of what is gone is done already', async () => {
    await using w = world()
    const object = await w.client.of(configMaps).create(map('a'))
    const action = deleteAction(configMaps, object, { success: () => said(object, 'SuccessfulDelete', 'a') })
    expect((await w.run([action, action])).failure).toBeUndefined()
    expect([await w.names(), w.recorded]).toEqual([[], ['Normal SuccessfulDelete: a']])
  })
})

describe('updates and patches', () => {
  test('leave the revision that the cache must show', async () => {
    await using w = world()
    const object = await w.client.of(configMaps).create(map('a'))
    const { effects } = await w.run([
      updateAction(configMaps, { ...object, data: { a: '1' } }),
      {
        do: 'patch',
        definition: configMaps,
        key: { namespace: 'default', name: 'a' },
        patch: { type: 'merge', body: { data: { b: '2' } } },
      },
    ])
    expect(effects).toEqual([2, 3].map((revision) => ({ definition: configMaps, revision })))
  })

  test('a status that follows from what failed is not written', async () => {
    await using w = world()
    const object = await w.client.of(pods).create(pod())
    const stale = { ...object, metadata: { ...object.metadata, resourceVersion: '999' } }
    await w.run([
      updateAction(pods, stale),
      updateStatusAction(pods, { ...object, status: { phase: 'Running' } }, { afterSuccess: true }),
      updateStatusAction(pods, { ...object, status: { phase: 'Failed' } }),
    ])
    expect(w.sent.filter((line) => line === 'PUT status')).toHaveLength(1)
  })

  test('a patch that requires an object fails with a conflict when that is another one now', async () => {
    await using w = world()
    const owner = await w.client.of(configMaps).create(map('owner'))
    await w.client.of(configMaps).create(map('a'))
    const patch = (uid: string): Action => ({
      do: 'patch',
      definition: configMaps,
      key: { namespace: 'default', name: 'a' },
      patch: { type: 'merge', body: { data: { adopted: uid } } },
      requires: { definition: configMaps, object: { ...owner, metadata: { ...owner.metadata, uid } } },
    })
    expect((await w.run([patch('another')])).failure).toMatchObject({ code: 409 })
    expect((await w.run([patch(owner.metadata.uid ?? '')])).failure).toBeUndefined()
  })
})

test('a broken assertion is no failure of the cluster: it is thrown', async () => {
  await using w = world()
  const success = () => {
    throw new AssertionError('broken')
  }
  await expect(w.run([createAction(configMaps, map('a'), { success })])).rejects.toThrow(AssertionError)
})
