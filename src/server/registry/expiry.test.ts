import { expect, test } from 'vitest'
import { createTestServer } from '../../../test/support/test-server.ts'
import { events } from '../../apis/core/event.ts'
import { namespaces } from '../../apis/core/namespace.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'

const EVENTS = '/api/v1/namespaces/default/events'
const MINUTE_MS = 60_000

test('events go an hour after they were written last, and no earlier', async () => {
  await using server = createTestServer([events, namespaces])
  const { clock } = server
  const tell = async (name: string) => {
    const involvedObject = { kind: 'Pod', namespace: 'default', name: 'web-0' }
    expect((await server.send('POST', EVENTS, { body: { metadata: { name }, involvedObject } })).status).toBe(201)
  }
  const names = async () =>
    (await server.send('GET', EVENTS)).json.items.map(({ metadata }: KubeObject) => metadata.name)
  await tell('old')
  await tell('renewed')
  await clock.advance(30 * MINUTE_MS)
  const headers = { 'content-type': 'application/merge-patch+json' }
  await server.send('PATCH', `${EVENTS}/renewed`, { body: { message: 'again' }, headers })
  await tell('young')
  await clock.advance(29 * MINUTE_MS)
  expect(await names()).toEqual(['old', 'renewed', 'young'])
  await clock.advance(2 * MINUTE_MS)
  await expect.poll(names).toEqual(['renewed', 'young'])
  await clock.advance(30 * MINUTE_MS)
  await expect.poll(names).toEqual([])
})
