import { describe, expect, test } from 'vitest'
import { container } from '../../../test/support/builders.ts'
import { followRedirects, type HttpAnswer, type HttpRequest, portOf, requestOf } from './http.ts'

const ports = [{ name: 'web', containerPort: 8080 }]

describe('the request', () => {
  test('goes to the pod, with a slash before its path', () => {
    expect(requestOf({ port: 80, path: 'healthz' }, '10.0.0.5', container())).toEqual({
      scheme: 'HTTP',
      host: '10.0.0.5',
      port: 80,
      path: '/healthz',
      headers: { 'User-Agent': 'kube-probe/1.36', Accept: '*/*' },
    })
  })

  test('goes where it is told to, with headers in place of the usual ones', () => {
    const httpHeaders = [
      { name: 'user-agent', value: 'me' },
      { name: 'X-Key', value: '1' },
    ]
    expect(
      requestOf({ port: 'web', scheme: 'HTTPS', host: 'example.com', httpHeaders }, '', container({ ports })),
    ).toEqual({
      scheme: 'HTTPS',
      host: 'example.com',
      port: 8080,
      path: '/',
      headers: { 'user-agent': 'me', Accept: '*/*', 'X-Key': '1' },
    })
  })

  test('needs a port that exists', () => {
    expect(portOf('8081', container({ ports }))).toBe(8081)
    for (const port of ['none', '0', '65536', ''])
      expect(() => portOf(port, container({ ports }))).toThrow(/named port/)
  })
})

describe('redirects', () => {
  const request: HttpRequest = { scheme: 'HTTP', host: '10.0.0.5', port: 80, path: '/', headers: {} }
  const follow = async (answers: Readonly<Record<string, HttpAnswer>>) => {
    const asked: string[] = []
    const send = async ({ scheme, host, port, path }: HttpRequest) => {
      asked.push(`${scheme} ${host}:${port}${path}`)
      return answers[path] ?? { status: 404, body: '' }
    }
    return { answer: await followRedirects(send, request, new AbortController().signal), asked }
  }
  const to = (location: string): HttpAnswer => ({ status: 302, body: '', location })

  test('on the same host are followed', async () => {
    const { answer, asked } = await follow({
      '/': to('/a?b=c'),
      '/a?b=c': to('https://10.0.0.5:8443/d'),
      '/d': { status: 500, body: 'sick' },
    })
    expect(answer.status).toBe(500)
    expect(asked).toEqual(['HTTP 10.0.0.5:80/', 'HTTP 10.0.0.5:80/a?b=c', 'HTTPS 10.0.0.5:8443/d'])
  })

  test('to elsewhere are an answer', async () => {
    for (const location of ['http://example.com/', 'ftp://10.0.0.5/', 'http://[', '//']) {
      const { answer, asked } = await follow({ '/': to(location) })
      expect([answer.status, asked.length]).toEqual([302, 1])
    }
  })

  test('in a circle come to an end', async () => {
    const { answer, asked } = await follow({ '/': to('/') })
    expect([answer.status, asked.length]).toEqual([302, 11])
  })
})
