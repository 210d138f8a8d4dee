import { expect, test } from 'vitest'
import { configMaps } from '../../../src/apis/core/config-map.ts'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { createTestServer } from '../../support/test-server.ts'

// Goal: a watch that is refused leaves nothing behind, even if nobody ends its request.

const WATCH = '/api/v1/configmaps?watch=true'

test.each([
  ['a selector that is none', '&labelSelector=a%20b', 400],
  ['a field that nobody selects by', '&fieldSelector=data%3Dx', 400],
  ['a match that watches have not', '&resourceVersionMatch=Exact', 422],
] as const)('%s leaves no timer', async (_, parameters, status) => {
  await using server = createTestServer([configMaps, namespaces])
  const before = server.clock.pending
  expect((await server.send('GET', WATCH + parameters)).status).toBe(status)
  expect(server.clock.pending).toBe(before)
})
