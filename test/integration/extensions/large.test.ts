import { afterEach, beforeEach, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { createExtensionServer, establish } from '../../support/custom-resources.ts'
import { EVIL_PATTERN, largeCrd, largeObject } from '../../support/large-crd.ts'
import type { TestServer } from '../../support/test-server.ts'

const NOXUS = '/apis/example.com/v1/namespaces/default/noxus'

let server: TestServer
beforeEach(async () => {
  server = createExtensionServer()
  await establish(server, largeCrd())
})
afterEach(() => server[Symbol.asyncDispose]())

test('a definition of more than 10,000 lines is served, its defaults and its rules', async () => {
  expect(stringify(largeCrd(), { aliasDuplicateObjects: false }).split('\n').length).toBeGreaterThan(10_000)
  const created = await server.send('POST', NOXUS, { body: largeObject('a') })
  expect(created.status).toBe(201)
  expect(created.json.spec.receiver0.integration0[0].retries).toBe(3)
  const wrong = { ...largeObject('b'), spec: { receiver7: { matchers: [{ name: 'severity', value: '' }] } } }
  expect((await server.send('POST', NOXUS, { body: wrong })).json.message).toBe(
    'Noxu.example.com "b" is invalid: spec.receiver7.matchers[0]: Invalid value: a value is not empty',
  )
})

test('a pattern that is made to take for ever does not', async () => {
  const integration1 = [{ name: 'a', evil: `${'a'.repeat(50_000)}!` }]
  const body = { ...largeObject('a'), spec: { receiver3: { integration1 } } }
  const { status, json } = await server.send('POST', NOXUS, { body })
  expect([status, json.message]).toEqual([422, expect.stringContaining(`should match '${EVIL_PATTERN}'`)])
})
