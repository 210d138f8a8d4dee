import { describe, expect, test } from 'vitest'
import { findings, row, statusFindings, updateFindings } from '../../../test/support/findings.ts'
import { ingresses } from './ingress.ts'
import { ingressClasses } from './ingress-class.ts'

// Rows and messages: upstream's validation tests.

const service = (name = 'web', port: object = { number: 80 }) => ({ service: { name, port } })
const ingress = (spec: object, metadata: object = {}) => ({ metadata: { name: 'web', ...metadata }, spec })
const at = (path: string | undefined, pathType: string | null = 'Prefix', host = 'foo.bar.com') =>
  ingress({
    rules: [{ host, http: { paths: [{ path, ...(pathType === null ? {} : { pathType }), backend: service() }] } }],
  })
const behind = (defaultBackend: object) => ingress({ defaultBackend })
const errorsOf = (object: ReturnType<typeof ingress>) =>
  findings(ingresses, object).map((line) => line.slice(line.indexOf(' ') + 1))

const PATH = 'spec.rules[0].http.paths[0]'
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with " +
  "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

describe('ingresses that are taken', () => {
  for (const object of [
    at('/foo'),
    at('/foo', 'Exact', '*.bar.com'),
    at('/foo.*[0-9]', 'ImplementationSpecific'),
    at(undefined, 'ImplementationSpecific'),
    behind(service('1-service')),
    behind({ resource: { apiGroup: 'example.com', kind: 'Bucket', name: 'files' } }),
    ingress({ defaultBackend: service(), tls: [{ hosts: ['*.bar.com', 'foo.bar.com'], secretName: 'tls' }] }),
    ingress(
      { defaultBackend: service(), ingressClassName: 'a' },
      { annotations: { 'kubernetes.io/ingress.class': 'a' } },
    ),
  ]) {
    test(JSON.stringify(object.spec), () => expect(errorsOf(object)).toEqual([]))
  }
})

describe('ingresses that are refused', () => {
  for (const [object, ...expected] of [
    [ingress({}), 'spec: Invalid value: null: either `defaultBackend` or `rules` must be specified'],
    [at('foo'), `${PATH}.path: Invalid value: "foo": must be an absolute path`],
    [at(undefined, 'Exact'), `${PATH}.path: Invalid value: "": must be an absolute path`],
    [at('/foo//bar'), `${PATH}.path: Invalid value: "/foo//bar": must not contain '//'`],
    [at('/foo/./bar'), `${PATH}.path: Invalid value: "/foo/./bar": must not contain '/./'`],
    [at('/foo/bar%2fbaz'), `${PATH}.path: Invalid value: "/foo/bar%2fbaz": must not contain '%2f'`],
    [at('/foo/..'), `${PATH}.path: Invalid value: "/foo/..": cannot end with '/..'`],
    [
      at('/foo', 'Regex'),
      `${PATH}.pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
    ],
    [
      at('/foo', ''),
      `${PATH}.pathType: Unsupported value: "": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
    ],
    [at('/foo', null), `${PATH}.pathType: Required value: pathType must be specified`],
    [
      at('/foo', 'Prefix', '127.0.0.1'),
      'spec.rules[0].host: Invalid value: "127.0.0.1": must be a DNS name, not an IP address',
    ],
    [ingress({ rules: [{ http: { paths: [] } }] }), 'spec.rules[0].http.paths: Required value'],
    [behind({}), 'spec.defaultBackend: Invalid value: "": resource or service backend is required'],
    [
      behind({ ...service(), resource: { kind: 'Bucket', name: 'files' } }),
      'spec.defaultBackend: Invalid value: "": cannot set both resource and service backends',
    ],
    [behind(service('')), 'spec.defaultBackend.service.name: Required value'],
    [behind(service('-web')), `spec.defaultBackend.service.name: Invalid value: "-web": ${LABEL}`],
    [behind(service('web', {})), 'spec.defaultBackend: Required value: port name or number is required'],
    [
      behind(service('web', { name: 'http', number: 80 })),
      'spec.defaultBackend: Invalid value: "": cannot set both port name & port number',
    ],
    [
      behind(service('web', { number: 65536 })),
      'spec.defaultBackend.service.port.number: Invalid value: 65536: must be between 1 and 65535, inclusive',
    ],
    [behind({ resource: { name: 'files' } }), 'spec.defaultBackend.resource.kind: Required value'],
    [
      ingress(
        { defaultBackend: service(), ingressClassName: 'a' },
        { annotations: { 'kubernetes.io/ingress.class': 'b' } },
      ),
      'annotations.kubernetes.io/ingress.class: Invalid value: "b": ' +
        'must match `ingressClassName` when both are specified',
    ],
  ] as const) {
    test(expected[0], () => expect(errorsOf(object)).toEqual(expected))
  }
})

describe('an ingress', () => {
  test('has addresses in its status, and host names that are none', () => {
    const before = ingress({ defaultBackend: service() })
    const status = { loadBalancer: { ingress: [{ ip: '010.0.0.1' }, { hostname: '10.0.0.1' }] } }
    expect(statusFindings(ingresses.status, { ...before, status }, before)).toEqual([
      'FieldValueInvalid status.loadBalancer.ingress[0].ip: Invalid value: "010.0.0.1": must not have leading 0s',
      'FieldValueInvalid status.loadBalancer.ingress[1].hostname: Invalid value: "10.0.0.1": ' +
        'must be a DNS name, not an IP address',
    ])
    expect(statusFindings(ingresses.status, { ...before, status: status }, { ...before, status })).toHaveLength(1)
  })

  test('shows three hosts and how many more', () => {
    const rules = ['a.com', 'b.com', 'c.com', 'd.com'].map((host) => ({ host }))
    const status = { loadBalancer: { ingress: [{ ip: '10.0.0.2' }, { hostname: 'lb.com' }, { ip: '10.0.0.1' }] } }
    expect(row(ingresses, { ...ingress({ rules, tls: [{}] }), status })).toMatchObject({
      Class: '<none>',
      Hosts: 'a.com,b.com,c.com + 1 more...',
      Address: '10.0.0.1,10.0.0.2,lb.com',
      Ports: '80, 443',
    })
    expect(row(ingresses, ingress({ rules: [{}, { host: 'a.com' }] }))).toMatchObject({ Hosts: 'a.com', Ports: '80' })
    expect(row(ingresses, ingress({ rules: [{}] }))).toMatchObject({ Hosts: '*' })
  })
})

describe('ingress classes', () => {
  const ingressClass = (spec: object) => ({ metadata: { name: 'a' }, spec })
  const withParameters = (parameters: object) =>
    ingressClass({ controller: 'foo.co/bar', parameters: { kind: 'Thing', name: 'config', ...parameters } })

  for (const [object, ...expected] of [
    [ingressClass({ controller: 'foo.co/bar' })],
    [withParameters({ scope: 'Namespace', namespace: 'web' })],
    [ingressClass({}), 'spec.controller: Required value'],
    [
      ingressClass({ controller: 'foo.co' }),
      'spec.controller: Invalid value: "foo.co": must be a domain-prefixed path (such as "acme.io/foo")',
    ],
    [
      ingressClass({ controller: 'foo.co/bar{}' }),
      'spec.controller: Invalid value: "bar{}": Invalid path (regex used for validation is ' +
        "'[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')",
    ],
    [
      ingressClass({ controller: `foo.co/${'a'.repeat(244)}` }),
      'spec.controller: Too long: may not be more than 250 bytes',
    ],
    [withParameters({ kind: '' }), 'spec.parameters.kind: Required value'],
    [withParameters({ name: 'a/b' }), `spec.parameters.name: Invalid value: "a/b": may not contain '/'`],
    [
      withParameters({ scope: 'Galaxy' }),
      'spec.parameters.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespace"',
    ],
    [
      withParameters({ namespace: 'web' }),
      "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'",
    ],
    [
      withParameters({ scope: 'Namespace' }),
      "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
    ],
  ] as const) {
    test(`${JSON.stringify(object.spec)} ${expected.length === 0 ? 'is taken' : 'is refused'}`, () => {
      const lines = findings(ingressClasses, object).map((line) => line.slice(line.indexOf(' ') + 1))
      expect(lines).toEqual(expected)
    })
  }

  test('keep their controller', () => {
    const [object, previous] = [ingressClass({ controller: 'a.co/b' }), ingressClass({ controller: 'a.co/c' })]
    expect(updateFindings(ingressClasses, object, previous)).toEqual([
      'FieldValueInvalid spec.controller: Invalid value: "a.co/b": field is immutable',
    ])
  })

  test('show whether they are the default, and their parameters', () => {
    const annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' }
    const object = { ...withParameters({ apiGroup: 'foo.co' }), metadata: { name: 'a', annotations } }
    expect(row(ingressClasses, object)).toMatchObject({ Name: 'a (default)', Parameters: 'Thing.foo.co/config' })
  })
})
