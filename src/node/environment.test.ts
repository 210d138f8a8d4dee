import { describe, expect, test } from 'vitest'
import { container, pod, service } from '../../test/support/builders.ts'
import type { Container, EnvVar, Pod } from '../apis/core/types.gen.ts'
import { type EnvironmentSources, environmentOf, podField, resourceField, serviceVariables } from './environment.ts'

const sources: EnvironmentSources = {
  configMap: (_, name) =>
    name === 'settings'
      ? { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { mode: 'fast', 'a.b': '1' } }
      : undefined,
  secret: (_, name) =>
    name === 'keys' ? { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: { key: 'c2VjcmV0' } } : undefined,
  services: () => [],
  allocatable: { cpu: '4', memory: '8Gi' },
  hostIp: '192.0.2.1',
}

function environment(parts: Partial<Container>, of: Pod = pod(), overrides: Partial<EnvironmentSources> = {}) {
  const input = {
    pod: of,
    podIps: ['10.0.0.5', 'fd00::5'],
    container: container(parts),
    sources: { ...sources, ...overrides },
  }
  return Object.fromEntries(environmentOf(input))
}

describe('the environment', () => {
  for (const [behaviour, parts, expected] of [
    ['has values as they are', { env: [{ name: 'A', value: 'a' }, { name: 'B' }] }, { A: 'a', B: '' }],
    [
      'may refer to what came before',
      {
        env: [
          { name: 'A', value: 'a' },
          { name: 'B', value: '$(A)$(C)' },
          { name: 'C', value: 'c' },
        ],
      },
      { A: 'a', B: 'a$(C)', C: 'c' },
    ],
    [
      'takes all keys of a source, with a prefix, whatever they are called',
      { envFrom: [{ prefix: 'P_', configMapRef: { name: 'settings' } }] },
      { P_mode: 'fast', 'P_a.b': '1' },
    ],
    [
      'prefers env over envFrom',
      { envFrom: [{ configMapRef: { name: 'settings' } }], env: [{ name: 'mode', value: 'slow' }] },
      { mode: 'slow', 'a.b': '1' },
    ],
    [
      'refers to envFrom',
      { envFrom: [{ secretRef: { name: 'keys' } }], env: [{ name: 'B', value: '<$(key)>' }] },
      { key: 'secret', B: '<secret>' },
    ],
    [
      'takes one key',
      { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'mode' } } }] },
      { A: 'fast' },
    ],
    [
      'decodes one key of a secret',
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'keys', key: 'key' } } }] },
      { A: 'secret' },
    ],
    [
      'leaves out what is optional and missing',
      {
        env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'x', optional: true } } }],
        envFrom: [{ secretRef: { name: 'none', optional: true } }],
      },
      {},
    ],
    [
      'knows the pod',
      {
        env: [
          { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          { name: 'IPS', valueFrom: { fieldRef: { fieldPath: 'status.podIPs' } } },
        ],
      },
      { IP: '10.0.0.5', IPS: '10.0.0.5,fd00::5' },
    ],
  ] satisfies readonly (readonly [string, Partial<Container>, object])[])
    test(behaviour, () => expect(environment(parts)).toEqual(expected))

  for (const [what, variable, message] of [
    ['a ConfigMap', { configMapKeyRef: { name: 'none', key: 'x' } }, 'configmap "none" not found'],
    [
      'a key of a ConfigMap',
      { configMapKeyRef: { name: 'settings', key: 'x' } },
      "couldn't find key x in ConfigMap default/settings",
    ],
    [
      'a key that every object seems to have',
      { configMapKeyRef: { name: 'settings', key: 'constructor' } },
      "couldn't find key constructor in ConfigMap default/settings",
    ],
    ['a Secret', { secretKeyRef: { name: 'none', key: 'x' } }, 'secret "none" not found'],
    ['a key of a Secret', { secretKeyRef: { name: 'keys', key: 'x' } }, "couldn't find key x in Secret default/keys"],
  ] satisfies readonly (readonly [string, EnvVar['valueFrom'], string])[]) {
    test(`cannot be made without ${what}`, () => {
      const env = [{ name: 'A', valueFrom: variable }]
      expect(() => environment({ env })).toThrow(
        expect.objectContaining({ reason: 'CreateContainerConfigError', message }),
      )
    })
  }

  test('has the variables of services last, and only where nothing else has their name', () => {
    const web = service({ spec: { clusterIP: '10.96.0.7', ports: [{ port: 80 }] } })
    const services = () => [web]
    const env = [
      { name: 'WEB_SERVICE_PORT', value: 'mine' },
      { name: 'URL', value: 'http://$(WEB_SERVICE_HOST)' },
    ]
    const result = environment({ env }, pod(), { services })
    expect(result).toMatchObject({ WEB_SERVICE_HOST: '10.96.0.7', WEB_SERVICE_PORT: 'mine', URL: 'http://10.96.0.7' })
  })
})

describe('variables of services', () => {
  const web = service({
    spec: {
      clusterIP: '10.96.0.7',
      ports: [
        { name: 'http-web', port: 80 },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ],
    },
  })

  test('are those of Docker links', () => {
    expect(Object.fromEntries(serviceVariables([web], 'default', true))).toEqual({
      WEB_SERVICE_HOST: '10.96.0.7',
      WEB_SERVICE_PORT: '80',
      WEB_SERVICE_PORT_HTTP_WEB: '80',
      WEB_SERVICE_PORT_DNS: '53',
      WEB_PORT: 'tcp://10.96.0.7:80',
      WEB_PORT_80_TCP: 'tcp://10.96.0.7:80',
      WEB_PORT_80_TCP_PROTO: 'tcp',
      WEB_PORT_80_TCP_PORT: '80',
      WEB_PORT_80_TCP_ADDR: '10.96.0.7',
      WEB_PORT_53_UDP: 'udp://10.96.0.7:53',
      WEB_PORT_53_UDP_PROTO: 'udp',
      WEB_PORT_53_UDP_PORT: '53',
      WEB_PORT_53_UDP_ADDR: '10.96.0.7',
    })
  })

  test('are left out for headless services and where links are not wanted, but for the API server', () => {
    const api = service({ metadata: { name: 'kubernetes' }, spec: { clusterIP: '10.96.0.1', ports: [{ port: 443 }] } })
    const headless = service({ spec: { clusterIP: 'None', ports: [{ port: 80 }] } })
    const names = (withLinks: boolean) =>
      serviceVariables([web, headless, api], 'default', withLinks).filter(([name]) => name.endsWith('_SERVICE_HOST'))
    expect(names(true).map(([name]) => name)).toEqual(['WEB_SERVICE_HOST', 'KUBERNETES_SERVICE_HOST'])
    expect(names(false).map(([name]) => name)).toEqual(['KUBERNETES_SERVICE_HOST'])
  })
})

describe('a field of the pod', () => {
  const labelled = pod({
    metadata: { name: 'web-0', uid: 'uid', labels: { b: '2', a: 'x"y' }, annotations: { note: 'hi' } },
    spec: { nodeName: 'n', serviceAccountName: 's' },
  })
  for (const [path, expected] of [
    ['metadata.name', 'web-0'],
    ['metadata.namespace', 'default'],
    ['metadata.uid', 'uid'],
    ['metadata.labels', 'a="x\\"y"\nb="2"'],
    ["metadata.labels['b']", '2'],
    ["metadata.annotations['note']", 'hi'],
    ["metadata.annotations['__proto__']", ''],
    ['spec.nodeName', 'n'],
    ['spec.serviceAccountName', 's'],
    ['status.hostIP', '192.0.2.1'],
    ['status.podIP', '10.0.0.5'],
  ] as const) {
    test(path, () => expect(podField(path, labelled, ['10.0.0.5'], '192.0.2.1')).toBe(expected))
  }

  test('that nobody knows is an error', () => {
    expect(() => podField('spec.secret', labelled, [], '')).toThrow('unsupported fieldPath: spec.secret')
  })
})

describe('a resource of a container', () => {
  const limited = container({ resources: { limits: { cpu: '1500m', memory: '64Mi' }, requests: { cpu: '250m' } } })
  const of = pod({ spec: { containers: [limited, container({ name: 'free' })] } })
  for (const [resource, divisor, containerName, expected] of [
    ['limits.cpu', undefined, undefined, '2'],
    ['limits.cpu', '1m', undefined, '1500'],
    ['limits.cpu', '0', undefined, '2'],
    ['requests.cpu', '1m', undefined, '250'],
    ['limits.memory', '1Mi', undefined, '64'],
    ['limits.memory', undefined, undefined, '67108864'],
    ['limits.cpu', undefined, 'free', '4'],
    ['requests.cpu', undefined, 'free', '0'],
  ] as const) {
    test(`${resource} in units of ${divisor} of ${containerName ?? 'itself'}`, () =>
      expect(resourceField({ resource, divisor, containerName }, of, limited, sources.allocatable)).toBe(expected))
  }
})
