import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLogger } from '../../../src/base/log.ts'
import { randomInteger, seededRandom } from '../../../src/base/random.ts'
import { createLoopbackTransport } from '../../../src/client/loopback-transport.ts'
import { createClient } from '../../../src/client/resource-client.ts'
import { openLevelStorage } from '../../../src/storage/level-storage.ts'
import { pod } from '../../support/builders.ts'
import { ADMIN, createTestServer, type TestServer } from '../../support/test-server.ts'

// Goal: pods for which nothing runs are marked and gone at once, in the sight of everybody, whoever else writes them.

const PODS = '/api/v1/namespaces/default/pods'
const MERGE = { 'content-type': 'application/merge-patch+json' }

const clientOf = ({ server }: TestServer) => createClient(createLoopbackTransport(server.handle, ADMIN))

/** The types of the events after a revision with what they say about the deletion, until the pod is gone. */
async function eventsAfter(server: TestServer, resourceVersion: string) {
  const stop = new AbortController()
  const seen: object[] = []
  const request = { namespace: 'default', resourceVersion, signal: stop.signal }
  for await (const { type, object } of clientOf(server).of(pods).watch(request)) {
    const { resourceVersion: at, deletionTimestamp, deletionGracePeriodSeconds } = object.metadata
    seen.push({ type, at: Number(at), deletionTimestamp, deletionGracePeriodSeconds })
    if (type === 'DELETED') break
  }
  stop.abort()
  return seen
}

test('a pod without a node is marked and removed, at two revisions that follow each other', async () => {
  await using server = createTestServer([pods, namespaces])
  const created = await clientOf(server).of(pods).create(pod())
  const from = Number(created.metadata.resourceVersion)
  const answer = await server.send('DELETE', `${PODS}/web-0`)
  const deletion = { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 }
  expect([answer.status, answer.json.metadata]).toMatchObject([200, { ...deletion, resourceVersion: `${from + 2}` }])
  expect(await eventsAfter(server, `${from}`)).toEqual([
    { type: 'MODIFIED', at: from + 1, ...deletion },
    { type: 'DELETED', at: from + 2, ...deletion },
  ])
  expect((await server.send('GET', `${PODS}/web-0`)).status).toBe(404)
})

test('a dry run shows the mark and leaves the pod', async () => {
  await using server = createTestServer([pods, namespaces])
  const created = await clientOf(server).of(pods).create(pod())
  const answer = await server.send('DELETE', `${PODS}/web-0?dryRun=All`)
  expect(answer.json.metadata).toMatchObject({ deletionGracePeriodSeconds: 0 })
  expect((await server.send('GET', `${PODS}/web-0`)).json.metadata).toEqual(created.metadata)
})

test('whoever watches metadata in this process is told which pod is gone', async () => {
  await using server = createTestServer([pods, namespaces])
  const { metadata } = await clientOf(server).of(pods).create(pod())
  const stop = new AbortController()
  const watched = clientOf(server)
    .metadataOf(pods)
    .watch({ resourceVersion: metadata.resourceVersion, signal: stop.signal })
  await server.send('DELETE', `${PODS}/web-0`)
  const seen: object[] = []
  for await (const event of watched) {
    seen.push(event)
    if (event.type === 'DELETED') break
  }
  stop.abort()
  const { namespace, name, uid, resourceVersion } = metadata
  const gone = { namespace, name, uid, resourceVersion: `${Number(resourceVersion) + 2}` }
  expect(seen[1]).toEqual({ type: 'DELETED', object: { kind: 'Pod', apiVersion: 'v1', metadata: gone } })
})

test('no other writer keeps a delete without preconditions from coming through', async () => {
  const directory = await mkdtemp(join(tmpdir(), 't8s-deletes-'))
  const storage = await openLevelStorage({ directory, clock: systemClock, log: silentLogger })
  const server = createTestServer([pods, namespaces], { storage, clock: systemClock })
  const random = seededRandom(7)
  try {
    const statuses = await Promise.all(
      Array.from({ length: 20 }, (_, worker) => churn(server, `pod-${worker}`, random)),
    )
    expect([...new Set(statuses.flat())]).toEqual([200])
    expect((await server.send('GET', PODS)).json.items).toEqual([])
  } finally {
    await server[Symbol.asyncDispose]()
    await storage[Symbol.asyncDispose]()
    await rm(directory, { recursive: true })
  }
})

/** What each delete was answered, of pods whose status is patched by four others at that moment. */
async function churn(server: TestServer, name: string, random: ReturnType<typeof seededRandom>): Promise<number[]> {
  const path = `${PODS}/${name}`
  const later = async (act: () => Promise<unknown>) => {
    for (let turn = randomInteger(random, 60); turn > 0; turn--) await Promise.resolve()
    await act()
  }
  const statuses: number[] = []
  for (let round = 0; round < 10; round++) {
    await server.send('POST', PODS, { body: pod({ metadata: { name } }) })
    const patch = (by: number) => () =>
      server.send('PATCH', `${path}/status`, { body: { status: { message: `${by}` } }, headers: MERGE })
    const remove = async () => void statuses.push((await server.send('DELETE', path)).status)
    await Promise.all([later(patch(1)), later(patch(2)), later(remove), later(patch(3)), later(patch(4))])
  }
  return statuses
}
