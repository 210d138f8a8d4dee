import { describe, expect, test } from 'vitest'
import { pod } from '../../test/support/builders.ts'
import type { PodSpec } from '../apis/core/types.gen.ts'
import { type DnsFacts, hostnameOf, hostsFile, resolvConf } from './pod-files.ts'

const DOMAIN = 'cluster.local'
const SEARCH = 'search default.svc.cluster.local svc.cluster.local cluster.local example.com'
const podWith = (spec: Partial<PodSpec>, name = 'web-0') => pod({ metadata: { name }, spec })

describe('the host name', () => {
  for (const [behaviour, spec, name, expected] of [
    ['is the name of the pod', {}, 'web-0', 'web-0'],
    ['is what the spec says', { hostname: 'db' }, 'web-0', 'db'],
    ['ends before the 64th character', {}, 'a'.repeat(70), 'a'.repeat(63)],
    ['does not end with a dash or dot', {}, `${'a'.repeat(62)}-b`, 'a'.repeat(62)],
    [
      'is fully qualified when that is asked for',
      { setHostnameAsFQDN: true, subdomain: 'sub' },
      'web-0',
      'web-0.sub.default.svc.cluster.local',
    ],
    ['is short without a subdomain', { setHostnameAsFQDN: true }, 'web-0', 'web-0'],
  ] satisfies readonly (readonly [string, Partial<PodSpec>, string, string])[])
    test(behaviour, () => expect(hostnameOf(podWith(spec, name), DOMAIN)).toBe(expected))
})

describe('/etc/hosts', () => {
  test('names the pod and the usual hosts', () => {
    const text = hostsFile(podWith({ subdomain: 'sub' }), ['10.0.0.5'], DOMAIN, '')
    expect(text).toBe(
      [
        '# Kubernetes-managed hosts file.',
        '127.0.0.1\tlocalhost',
        '::1\tlocalhost ip6-localhost ip6-loopback',
        'fe00::0\tip6-localnet',
        'fe00::0\tip6-mcastprefix',
        'fe00::1\tip6-allnodes',
        'fe00::2\tip6-allrouters',
        '10.0.0.5\tweb-0.sub.default.svc.cluster.local\tweb-0',
        '',
      ].join('\n'),
    )
  })

  test('lists aliases at the end', () => {
    const hostAliases = [{ ip: '123.45.67.89', hostnames: ['foo', 'bar'] }]
    const text = hostsFile(podWith({ hostAliases }), ['10.0.0.5'], DOMAIN, '')
    expect(text.endsWith('\tweb-0\n\n# Entries added by HostAliases.\n123.45.67.89\tfoo\tbar\n')).toBe(true)
  })

  test('is the node’s on the node’s network', () => {
    const text = hostsFile(podWith({ hostNetwork: true }), ['192.0.2.1'], DOMAIN, '127.0.0.1 localhost\n')
    expect(text).toBe('# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n')
  })
})

describe('/etc/resolv.conf', () => {
  const nodeResolvConf =
    '# of the machine\nnameserver 127.0.0.11\nnameserver 192.0.2.53\nsearch example.com .\noptions edns0\n'
  const facts: DnsFacts = { clusterDns: '10.96.0.10', domain: DOMAIN, nodeResolvConf }
  const cluster = `${SEARCH}\nnameserver 10.96.0.10\noptions ndots:5\n`
  const machine = 'search example.com\nnameserver 192.0.2.53\noptions edns0\n'
  for (const [behaviour, spec, expected] of [
    ['is the cluster’s', {}, cluster],
    ['is the machine’s, without its own loopback, when that is asked for', { dnsPolicy: 'Default' }, machine],
    ['is the machine’s on the node’s network', { hostNetwork: true, dnsPolicy: 'ClusterFirst' }, machine],
    [
      'is the cluster’s there when that is asked for',
      { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' },
      cluster,
    ],
    [
      'is what the pod says and nothing else',
      {
        dnsPolicy: 'None',
        dnsConfig: {
          nameservers: ['1.1.1.1'],
          searches: ['a.b'],
          options: [{ name: 'ndots', value: '2' }, { name: 'debug' }],
        },
      },
      'search a.b\nnameserver 1.1.1.1\noptions ndots:2 debug\n',
    ],
    [
      'is changed by what the pod adds',
      { dnsConfig: { nameservers: ['1.1.1.1', '10.96.0.10'], options: [{ name: 'ndots', value: '1' }] } },
      `${SEARCH}\nnameserver 10.96.0.10\nnameserver 1.1.1.1\noptions ndots:1\n`,
    ],
  ] satisfies readonly (readonly [string, Partial<PodSpec>, string])[])
    test(behaviour, () => expect(resolvConf(podWith(spec), facts)).toBe(expected))

  test('has no more servers than resolvers ask', () => {
    const nameservers = ['1.1.1.1', '1.1.1.2', '1.1.1.3']
    const text = resolvConf(podWith({ dnsConfig: { nameservers } }), facts)
    expect(text.match(/^nameserver/gm)).toHaveLength(3)
  })
})
