import { describe, expect, test } from 'vitest'
import { findings, row } from '../../../test/support/findings.ts'
import { networkPolicies } from './network-policy.ts'

// Rows and messages: upstream's validation tests.

const policy = (spec: object) => ({ metadata: { name: 'web' }, spec: { podSelector: {}, ...spec } })
const from = (peer: object) => policy({ ingress: [{ from: [peer] }] })
const port = (own: object) => policy({ egress: [{ ports: [own] }] })
const block = (cidr: string, ...except: readonly string[]) => from({ ipBlock: { cidr, except } })

describe('network policies', () => {
  test('say which directions they are about', () => {
    const spec = (own: object) => networkPolicies.default(policy(own)).spec
    expect(spec({}).policyTypes).toEqual(['Ingress'])
    expect(spec({ egress: [{ ports: [{ port: 53 }] }] })).toMatchObject({
      policyTypes: ['Ingress', 'Egress'],
      egress: [{ ports: [{ port: 53, protocol: 'TCP' }] }],
    })
    expect(spec({ egress: [{}], policyTypes: ['Egress'] }).policyTypes).toEqual(['Egress'])
  })

  for (const [object, ...expected] of [
    [policy({ ingress: [{}], egress: [{}] })],
    [from({ podSelector: { matchLabels: { a: 'b' } }, namespaceSelector: {} })],
    [block('192.168.0.0/16', '192.168.3.0/24', '192.168.4.0/24')],
    [block('fd00:192:168::/48', 'fd00:192:168:3::/64')],
    [port({ port: 32000, endPort: 32768 })],
    [from({}), 'spec.ingress[0].from[0]: Required value: must specify a peer'],
    [
      from({ ipBlock: { cidr: '192.168.0.0/16' }, podSelector: {} }),
      'spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer',
    ],
    [from({ ipBlock: {} }), 'spec.ingress[0].from[0].ipBlock.cidr: Required value'],
    [
      block('192.168.5.6'),
      'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "192.168.5.6": ' +
        'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ],
    [
      block('192.168.8.0/24', '192.168.9.0/26'),
      'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "192.168.9.0/26": ' +
        'must be a strict subset of `cidr`',
    ],
    [
      block('192.168.8.0/24', '192.168.0.0/16'),
      'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "192.168.0.0/16": ' +
        'must be a strict subset of `cidr`',
    ],
    [port({ port: 0 }), 'spec.egress[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive'],
    [
      port({ protocol: 'ICMP' }),
      'spec.egress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"',
    ],
    [
      port({ port: 'http', endPort: 32768 }),
      'spec.egress[0].ports[0].endPort: Invalid value: 32768: may not be specified when `port` is non-numeric',
    ],
    [
      port({ endPort: 32768 }),
      'spec.egress[0].ports[0].endPort: Invalid value: 32768: may not be specified when `port` is not specified',
    ],
    [
      port({ port: 32768, endPort: 32767 }),
      'spec.egress[0].ports[0].endPort: Invalid value: 32768: must be greater than or equal to `port`',
    ],
    [
      policy({ policyTypes: ['Ingress', 'Egress', 'Egress'] }),
      'spec.policyTypes: Invalid value: ["Ingress","Egress","Egress"]: may not specify more than two policyTypes',
    ],
    [
      policy({ policyTypes: ['Sideways'] }),
      'spec.policyTypes[0]: Unsupported value: "Sideways": supported values: "Ingress", "Egress"',
    ],
  ] as const) {
    test(expected[0] ?? `take ${JSON.stringify(object.spec)}`, () => {
      const lines = findings(networkPolicies, object).map((line) => line.slice(line.indexOf(' ') + 1))
      expect(lines).toEqual(expected)
    })
  }

  test('warn of blocks that have a better spelling', () => {
    expect(networkPolicies.warnings(networkPolicies.default(block('FD00::/8', 'FD01::/16')), undefined)).toEqual([
      'spec.ingress[0].from[0].ipBlock.cidr: IPv6 CIDR value "FD00::/8" ' +
        'should be in RFC 5952 canonical format ("fd00::/8")',
      'spec.ingress[0].from[0].ipBlock.except[0]: IPv6 CIDR value "FD01::/16" ' +
        'should be in RFC 5952 canonical format ("fd01::/16")',
    ])
  })

  test('show what they select', () => {
    expect(row(networkPolicies, policy({}))).toMatchObject({ 'Pod-Selector': '<none>' })
    expect(row(networkPolicies, policy({ podSelector: { matchLabels: { a: 'b' } } }))).toMatchObject({
      'Pod-Selector': 'a=b',
    })
  })
})
