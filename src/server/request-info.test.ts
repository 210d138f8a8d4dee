import { describe, expect, test } from 'vitest'
import { requestInfo } from './request-info.ts'

const info = (method: string, url: string) => {
  const [path = '', query = ''] = url.split('?')
  return requestInfo({ method, path, query: new URLSearchParams(query) })
}

describe('what a request is about', () => {
  test.each([
    ['GET', '/api/v1/pods', { verb: 'list', resource: 'pods', namespace: '' }],
    ['GET', '/api/v1/namespaces/a/pods', { verb: 'list', resource: 'pods', namespace: 'a' }],
    ['GET', '/api/v1/namespaces/a/pods?watch=true', { verb: 'watch' }],
    ['GET', '/api/v1/namespaces/a/pods?watch=0', { verb: 'list' }],
    ['GET', '/api/v1/watch/namespaces/a/pods', { verb: 'watch', resource: 'pods', namespace: 'a' }],
    ['GET', '/api/v1/namespaces/a/pods/b', { verb: 'get', name: 'b' }],
    ['PUT', '/api/v1/namespaces/a/pods/b/status', { verb: 'update', name: 'b', subresource: 'status' }],
    ['GET', '/api/v1/namespaces/a', { verb: 'get', resource: 'namespaces', name: 'a', namespace: 'a' }],
    ['PUT', '/api/v1/namespaces/a/finalize', { resource: 'namespaces', name: 'a', subresource: 'finalize' }],
    ['DELETE', '/apis/apps/v1/namespaces/a/deployments', { verb: 'deletecollection', group: 'apps', version: 'v1' }],
    ['DELETE', '/apis/apps/v1/namespaces/a/deployments/b', { verb: 'delete', name: 'b' }],
    ['PATCH', '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode', { verb: 'patch', name: 'system:node' }],
    [
      'GET',
      '/api/v1/namespaces/a/pods/b/proxy/c//d%2Fe',
      { verb: 'get', name: 'b', subresource: 'proxy', rest: '/c//d%2Fe' },
    ],
    [
      'GET',
      '/apis/example.com/v1/namespaces/a/machines/b/portforward/22/tcp',
      { name: 'b', subresource: 'portforward', rest: '/22/tcp' },
    ],
    ['GET', '/api/v1/nodes?fieldSelector=metadata.name%3Dn', { verb: 'list', name: '', selectedName: 'n' }],
  ])('%s %s', (method, url, expected) => {
    expect(info(method, url)).toMatchObject({ type: 'resource', ...expected })
  })

  test.each([
    '/api/v1/namespaces/a/pods/..%2fsecrets',
    '/api/v1/namespaces/../secrets/b',
    '/api/v1/namespaces/a/pods/%2e%2e',
    '/api/v1/namespaces//pods',
    '/api/v1/namespaces/a/pods/b/status/more',
    '/api/v1/namespaces/a/pods/%zz',
    '/api/v1',
    '/apis',
    '/apis/apps/v1',
    '/version',
    '//api/v1/pods',
    'api/v1/pods',
  ])('%s names no resource', (url) => {
    expect(info('GET', url)).toEqual({ type: 'path', path: url, verb: 'get' })
  })

  test('an escaped comma in a selector opens no term', () => {
    const url = '/api/v1/nodes?fieldSelector=spec.x%3Da%5C%2Cmetadata.name%3Dn'
    expect(info('GET', url)).toMatchObject({ selectedName: '' })
  })
})
