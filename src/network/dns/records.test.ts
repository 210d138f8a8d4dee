import { describe, expect, test } from 'vitest'
import { namespaces } from '../../apis/core/namespace.ts'
import { services } from '../../apis/core/service/definition.ts'
import { endpointSlices } from '../../apis/discovery/endpoint-slice.ts'
import { endpoint, service, slice, testInformers } from '../test-objects.ts'
import { clusterNames } from './cluster-names.ts'
import { resolve, type Zone } from './records.ts'

const HTTP = [{ name: 'http', port: 80, protocol: 'TCP' }] as const

function zone(): Zone {
  const informers = testInformers()
  const names = clusterNames(informers)
  informers.set(namespaces, [{ metadata: { name: 'default' }, spec: {} }])
  informers.set(services, [
    service('web', { clusterIP: '10.96.0.20', ports: HTTP }),
    service('db', { clusterIP: 'None', ports: HTTP }),
    service('empty', { clusterIP: 'None' }),
    service('inside', { type: 'ExternalName', externalName: 'web.default.svc.cluster.local' }),
    service('outside', { type: 'ExternalName', externalName: 'example.com.' }),
  ])
  const ports = [{ name: 'http', port: 8080, protocol: 'TCP' }] as const
  const unready = endpoint('10.244.0.7', { conditions: { ready: false } })
  const named = endpoint('10.244.0.5', { hostname: 'db-0' })
  informers.set(endpointSlices, [
    slice('web', [endpoint('10.244.0.5')], { ports }),
    slice('db', [named, endpoint('10.244.0.6'), unready], { ports }),
  ])
  return { domain: 'cluster.local', serverAddress: '10.96.0.10', names }
}

/** `A 10.96.0.20` for every answer; `kind` when there is none. */
function ask(name: string, type = 'A'): readonly string[] | string {
  const resolution = resolve(zone(), { name, type })
  if (resolution.kind === 'alias') return `alias ${resolution.target}`
  if (resolution.kind !== 'found') return resolution.kind
  return resolution.answers.map((answer) => {
    expect(answer.name).toBe(name)
    return `${answer.type} ${'data' in answer ? JSON.stringify(answer.data).replaceAll('"', '') : ''}`
  })
}

const SRV = (port: number, target: string, weight = 100) =>
  `SRV {priority:0,weight:${weight},port:${port},target:${target}}`

describe('names of the cluster', () => {
  for (const [name, type, expected] of [
    ['web.default.svc.cluster.local', 'A', ['A 10.96.0.20']],
    ['WEB.Default.svc.cluster.LOCAL', 'A', ['A 10.96.0.20']],
    ['web.default.svc.cluster.local', 'AAAA', 'no-data'],
    ['web.default.svc.cluster.local', 'SRV', [SRV(80, 'web.default.svc.cluster.local')]],
    ['_http._tcp.web.default.svc.cluster.local', 'SRV', [SRV(80, 'web.default.svc.cluster.local')]],
    ['_http._udp.web.default.svc.cluster.local', 'SRV', 'no-name'],
    ['_admin._tcp.web.default.svc.cluster.local', 'SRV', 'no-name'],
    ['nobody.default.svc.cluster.local', 'A', 'no-name'],
    ['web.elsewhere.svc.cluster.local', 'A', 'no-name'],
    ['a.b.web.default.svc.cluster.local', 'A', 'no-name'],
    ['db.default.svc.cluster.local', 'A', ['A 10.244.0.5', 'A 10.244.0.6']],
    ['db-0.db.default.svc.cluster.local', 'A', ['A 10.244.0.5']],
    ['10-244-0-6.db.default.svc.cluster.local', 'A', ['A 10.244.0.6']],
    ['10-244-0-7.db.default.svc.cluster.local', 'A', 'no-name'],
    [
      '_http._tcp.db.default.svc.cluster.local',
      'SRV',
      [SRV(8080, 'db-0.db.default.svc.cluster.local', 50), SRV(8080, '10-244-0-6.db.default.svc.cluster.local', 50)],
    ],
    ['empty.default.svc.cluster.local', 'A', 'no-name'],
    ['10-244-0-5.default.pod.cluster.local', 'A', ['A 10.244.0.5']],
    ['not-an-address.default.pod.cluster.local', 'A', 'no-name'],
    ['inside.default.svc.cluster.local', 'A', 'alias web.default.svc.cluster.local'],
    ['outside.default.svc.cluster.local', 'A', 'alias example.com'],
    ['outside.default.svc.cluster.local', 'CNAME', ['CNAME example.com']],
    ['default.svc.cluster.local', 'A', 'no-data'],
    ['svc.cluster.local', 'A', 'no-data'],
    ['cluster.local', 'A', 'no-data'],
    ['cluster.local', 'NS', ['NS ns.dns.cluster.local']],
    ['ns.dns.cluster.local', 'A', ['A 10.96.0.10']],
    ['dns-version.cluster.local', 'TXT', ['TXT 1.1.0']],
    ['web.cluster.local', 'A', 'no-name'],
    ['example.com', 'A', 'outside'],
    ['notcluster.local', 'A', 'outside'],
    ['20.0.96.10.in-addr.arpa', 'PTR', ['PTR web.default.svc.cluster.local']],
    [
      '5.0.244.10.in-addr.arpa',
      'PTR',
      ['PTR 10-244-0-5.web.default.svc.cluster.local', 'PTR db-0.db.default.svc.cluster.local'],
    ],
    ['1.2.0.192.in-addr.arpa', 'PTR', 'outside'],
    ['x.in-addr.arpa', 'PTR', 'outside'],
  ] as const)
    test(`${type} ${name}`, () => expect(ask(name, type)).toEqual(expected))

  test('a named port brings the addresses of its hosts along', () => {
    const resolution = resolve(zone(), { name: '_http._tcp.web.default.svc.cluster.local', type: 'SRV' })
    expect(resolution.kind === 'found' && resolution.additionals).toMatchObject([{ type: 'A', data: '10.96.0.20' }])
  })
})
