import { describe, expect, test } from 'vitest'
import { service } from '../../../../test/support/builders.ts'
import {
  findings,
  row,
  type Sent,
  statusFindings,
  updateFindings,
  writeContext,
} from '../../../../test/support/findings.ts'
import type { Service, ServiceSpec } from '../types.gen.ts'
import { services } from './definition.ts'

// Goal: what services are completed with, what is refused, what an update keeps, what is shown.

const sent = (spec: object, rest: object = {}): Sent => ({
  ...service(),
  ...rest,
  spec: { ...service().spec, ...spec },
})
const defaulted = (spec: Partial<ServiceSpec>): ServiceSpec => services.default(service({ spec })).spec

describe('defaults', () => {
  test('a service is a cluster IP', () => {
    expect(defaulted({})).toEqual({
      type: 'ClusterIP',
      selector: { app: 'web' },
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
    })
  })

  test('a load balancer has node ports and a way in from outside', () => {
    expect(defaulted({ type: 'LoadBalancer' })).toMatchObject({
      allocateLoadBalancerNodePorts: true,
      externalTrafficPolicy: 'Cluster',
    })
    expect(defaulted({ type: 'LoadBalancer', allocateLoadBalancerNodePorts: false })).toMatchObject({
      allocateLoadBalancerNodePorts: false,
    })
  })

  test('an affinity lasts three hours; none has no parameters', () => {
    expect(defaulted({ sessionAffinity: 'ClientIP' }).sessionAffinityConfig).toEqual({
      clientIP: { timeoutSeconds: 10800 },
    })
    expect(defaulted({ sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } } })).not.toHaveProperty(
      'sessionAffinityConfig',
    )
  })
})

describe('rules', () => {
  const rules: readonly (readonly [behaviour: string, spec: object, expected: readonly string[]])[] = [
    ['accepts the smallest one', {}, []],
    ['accepts a headless service without ports', { ports: [], clusterIP: 'None', clusterIPs: ['None'] }, []],
    ['demands ports', { ports: [] }, ['FieldValueRequired spec.ports: Required value']],
    [
      'demands names of several ports',
      { ports: [{ port: 80 }, { port: 81, name: 'b' }] },
      ['FieldValueRequired spec.ports[0].name: Required value'],
    ],
    [
      'refuses the same port, name and node port twice',
      {
        type: 'NodePort',
        ports: [
          { name: 'a', port: 80, nodePort: 30080 },
          { name: 'a', port: 80, nodePort: 30080 },
        ],
      },
      [
        'FieldValueDuplicate spec.ports[1].name: Duplicate value: "a"',
        'FieldValueDuplicate spec.ports[1].nodePort: Duplicate value: 30080',
        'FieldValueDuplicate spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}',
      ],
    ],
    [
      'refuses a port out of range',
      { ports: [{ port: 70000, targetPort: 80 }] },
      ['FieldValueInvalid spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive'],
    ],
    [
      'refuses node ports of a cluster IP',
      { ports: [{ port: 80, nodePort: 30080 }] },
      ["FieldValueForbidden spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      'refuses an unknown type',
      { type: 'Magic' },
      [
        'FieldValueNotSupported spec.type: Unsupported value: "Magic": ' +
          'supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    [
      'refuses a headless load balancer',
      { type: 'LoadBalancer', clusterIP: 'None', clusterIPs: ['None'] },
      [
        'FieldValueInvalid spec.clusterIPs[0]: Invalid value: "None": ' +
          "may not be set to 'None' for LoadBalancer services",
      ],
    ],
    ['demands an external name', { type: 'ExternalName' }, ['FieldValueRequired spec.externalName: Required value']],
    ['accepts a fully qualified external name', { type: 'ExternalName', externalName: 'db.example.com.' }, []],
    [
      'refuses a cluster IP that is none',
      { clusterIP: '10.0.0', clusterIPs: ['10.0.0'] },
      [
        'FieldValueInvalid spec.clusterIPs[0]: Invalid value: "10.0.0": ' +
          'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    [
      'refuses two addresses of one family',
      { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '10.0.0.2'] },
      [
        'FieldValueInvalid spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: ' +
          'may specify no more than one IP for each IP family',
      ],
    ],
    [
      'refuses an address of the wrong family',
      { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv6'] },
      [
        'FieldValueInvalid spec.clusterIPs[0]: Invalid value: "10.0.0.1": ' +
          'expected an IPv6 value as indicated by `ipFamilies[0]`',
      ],
    ],
    [
      'refuses loopback addresses from outside',
      { externalIPs: ['127.0.0.1'] },
      [
        'FieldValueInvalid spec.externalIPs[0]: Invalid value: "127.0.0.1": ' +
          'may not be in the loopback range (127.0.0.0/8, ::1/128)',
      ],
    ],
    [
      'refuses what only load balancers have',
      { loadBalancerClass: 'example.com/lb', loadBalancerSourceRanges: ['10.0.0.0/8'] },
      [
        "FieldValueForbidden spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
        "FieldValueForbidden spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
      ],
    ],
    [
      'refuses a traffic policy for what nobody outside reaches',
      { externalTrafficPolicy: 'Local' },
      [
        'FieldValueInvalid spec.externalTrafficPolicy: Invalid value: "Local": ' +
          'may only be set for externally-accessible services',
      ],
    ],
    [
      'refuses an unknown traffic distribution',
      { trafficDistribution: 'Random' },
      [
        'FieldValueNotSupported spec.trafficDistribution: Unsupported value: "Random": ' +
          'supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
      ],
    ],
  ]
  for (const [behaviour, spec, expected] of rules)
    test(behaviour, () => expect(findings(services, sent(spec))).toEqual(expected))
})

describe('updates', () => {
  const before = {
    clusterIP: '10.0.0.1',
    clusterIPs: ['10.0.0.1'],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
  }
  const prepared = (spec: object, previous: object): Service['spec'] =>
    services.prepareForUpdate(
      services.default(sent(spec) as never),
      services.default(sent(previous) as never),
      writeContext,
    ).spec

  test('keep an address that the client left out', () => {
    expect(prepared({ ipFamilies: ['IPv4'] }, before)).toMatchObject({
      clusterIP: '10.0.0.1',
      clusterIPs: ['10.0.0.1'],
    })
  })

  test('refuse another address', () => {
    expect(
      updateFindings(services, sent({ ...before, clusterIP: '10.0.0.9', clusterIPs: ['10.0.0.9'] }), sent(before)),
    ).toEqual(['FieldValueInvalid spec.clusterIPs[0]: Invalid value: ["10.0.0.9"]: may not change once set'])
  })

  test('take a second address and demand to say so when it goes', () => {
    const dual = { ...before, clusterIPs: ['10.0.0.1', 'fd00::1'], ipFamilyPolicy: 'PreferDualStack' }
    expect(updateFindings(services, sent(dual), sent(before))).toEqual([])
    expect(updateFindings(services, sent({ ...before, ipFamilyPolicy: 'PreferDualStack' }), sent(dual))).toEqual([
      'FieldValueInvalid spec.ipFamilyPolicy: Invalid value: "PreferDualStack": ' +
        "must be set to 'SingleStack' when releasing the secondary clusterIP",
    ])
  })

  test('keep node ports by protocol and port, and drop them with the type', () => {
    const ports = [{ port: 80, nodePort: 30080 }]
    expect(prepared({ type: 'NodePort', ports: [{ port: 80 }] }, { type: 'NodePort', ports }).ports).toMatchObject(
      ports,
    )
    expect(prepared({ type: 'ClusterIP', ports }, { type: 'NodePort', ports }).ports).toEqual([
      { port: 80, protocol: 'TCP', targetPort: 80 },
    ])
  })

  test('give up addresses and policies when the service becomes a name', () => {
    const named = prepared(
      { ...before, type: 'ExternalName', externalName: 'a.example' },
      { ...before, type: 'LoadBalancer' },
    )
    expect(Object.keys(named)).not.toEqual(expect.arrayContaining(['clusterIP']))
    expect(named.ipFamilies).toBeUndefined()
  })

  test('refuse the status of a load balancer elsewhere', () => {
    const status = { loadBalancer: { ingress: [{ ip: '1.2.3.4', ipMode: 'VIP' }] } }
    expect(statusFindings(services.status, sent({ type: 'ClusterIP' }, { status }), sent({}))).toEqual([
      "FieldValueForbidden status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
    ])
  })
})

test('a wide row', () => {
  const status = { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } }
  const spec = { type: 'LoadBalancer', clusterIPs: ['10.0.0.1'], ports: [{ port: 80, nodePort: 30080 }] }
  expect(row(services, sent(spec, { status }))).toEqual({
    Name: 'web',
    Type: 'LoadBalancer',
    'Cluster-IP': '10.0.0.1',
    'External-IP': '1.2.3.4',
    'Port(s)': '80:30080/TCP',
    Age: '<unknown>',
    Selector: 'app=web',
  })
  expect(row(services, sent({ ...spec, clusterIPs: [] }))).toMatchObject({
    'Cluster-IP': '<none>',
    'External-IP': '<pending>',
  })
})

test('headless services are warned of what they ignore', () => {
  const object = service({ spec: { clusterIP: 'None', clusterIPs: ['None'], sessionAffinity: 'ClientIP' } })
  expect(services.warnings(object, undefined)).toEqual(['spec.SessionAffinity is ignored for headless services'])
})
