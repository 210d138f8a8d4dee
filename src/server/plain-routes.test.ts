import { expect, test } from 'vitest'
import type { ApiRequest } from '../machinery/wire/message.ts'
import { createPlainRoutes, type PlainRoute } from './plain-routes.ts'

const answering = (path: string, name: string, below = false): PlainRoute => ({
  path,
  below,
  handle: async () => ({ status: 200, headers: { name }, body: { type: 'none' } }),
})

const route = createPlainRoutes([
  { path: '/healthz', below: true, handle: async () => undefined },
  answering('/healthz', 'health', true),
  answering('/version', 'version'),
  answering('/openapi/v3/apis/:group/:version', 'openapi'),
  {
    path: '/broken',
    handle: async () => {
      throw new Error('broken')
    },
  },
])

async function nameOf(path: string): Promise<string | undefined> {
  const request: ApiRequest = {
    method: 'GET',
    path,
    query: new URLSearchParams(),
    headers: {},
    body: { type: 'none' },
    signal: new AbortController().signal,
    wants: 'bytes',
  }
  return (await route(request))?.headers.name
}

for (const [path, expected] of [
  ['/healthz', 'health'],
  ['/healthz/ping', 'health'],
  ['/healthzz', undefined],
  ['/version', 'version'],
  ['/version/', 'version'],
  ['/VERSION', undefined],
  ['/version/x', undefined],
  ['/openapi/v3/apis/apps/v1', 'openapi'],
  ['/%', undefined],
  ['/', undefined],
] as const)
  test(`${path} leads to ${expected ?? 'nothing'}`, async () => expect(await nameOf(path)).toBe(expected))

test('an error of a handler is passed on', async () => {
  await expect(nameOf('/broken')).rejects.toThrow('broken')
})

test('a parameter that cannot be decoded is a bad request', async () => {
  await expect(nameOf('/openapi/v3/apis/%/v1')).rejects.toMatchObject({ code: 400 })
})
