import { expect, test } from 'vitest'
import type { ApiRequest } from '../machinery/wire/message.ts'
import { createHealth, ping } from './health.ts'

const broken = { name: 'storage', check: () => 'read-only: disk full' }
const health = createHealth({ livez: [ping], readyz: [ping, broken] })

async function ask(url: string, groups: readonly string[] = ['system:authenticated']) {
  const [path = '', query = ''] = url.split('?')
  const request: ApiRequest = {
    method: 'GET',
    path,
    query: new URLSearchParams(query),
    headers: {},
    body: { type: 'none' },
    signal: new AbortController().signal,
    wants: 'bytes',
    user: { name: 'x', groups },
  }
  const answer = await health.handle(request)
  if (!answer) return undefined
  return [answer.status, answer.body.type === 'bytes' ? String(answer.body.bytes) : '']
}

for (const [url, expected] of [
  ['/livez', [200, 'ok']],
  ['/healthz/', [200, 'ok']],
  ['/livez?verbose', [200, '[+]ping ok\nlivez check passed\n']],
  ['/readyz', [500, '[+]ping ok\n[-]storage failed: read-only: disk full\nreadyz check failed\n']],
  ['/readyz?exclude=storage', [200, 'ok']],
  ['/readyz?verbose&exclude=storage', [200, '[+]ping ok\n[+]storage excluded: ok\nreadyz check passed\n']],
  [
    '/livez?verbose&exclude=x',
    [200, '[+]ping ok\nwarn: some health checks cannot be excluded: no matches for "x"\nlivez check passed\n'],
  ],
  ['/readyz/ping', [200, 'ok']],
  ['/readyz/storage', [500, 'internal server error: read-only: disk full\n']],
  ['/readyz/unknown', undefined],
  ['/api', undefined],
] as const)
  test(`${url} answers ${JSON.stringify(expected)}`, async () => expect(await ask(url)).toEqual(expected))

test('strangers learn no reasons', async () => {
  expect(await ask('/readyz', ['system:unauthenticated'])).toEqual([
    500,
    '[+]ping ok\n[-]storage failed: reason withheld\nreadyz check failed\n',
  ])
})
