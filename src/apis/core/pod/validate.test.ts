import { describe, expect, test } from 'vitest'
import { FieldPath } from '../../../machinery/meta/field-error.ts'
import type { Pod, PodSpec } from '../types.gen.ts'
import { defaultPod, defaultPodTemplateSpec } from './defaults.ts'
import { validatePodSpec, validatePodTemplateSpec } from './validate-spec.ts'
import { validateEphemeralContainersUpdate, validatePodResize } from './validate-update.ts'

const texts = (errors: readonly { readonly path: string; readonly message: string }[]) =>
  errors.map(({ path, message }) => `${path}: ${message}`)

const podWith = (spec: Partial<PodSpec>): Pod =>
  defaultPod({ metadata: { name: 'web' }, spec: { containers: [{ name: 'main', image: 'app:1' }], ...spec } })

const check = (spec: Partial<PodSpec>) =>
  texts(validatePodSpec(podWith(spec).spec ?? { containers: [] }, new FieldPath('spec')))

describe('a pod spec', () => {
  const cases: readonly (readonly [string, Partial<PodSpec>, readonly string[]])[] = [
    [
      'host network ports must be the container’s own',
      { hostNetwork: true, containers: [{ name: 'main', image: 'a', ports: [{ containerPort: 80, hostPort: 81 }] }] },
      [
        'spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true',
      ],
    ],
    [
      'a user namespace of its own excludes the host’s namespaces',
      { hostUsers: false, hostNetwork: true },
      ['spec.hostNetwork: Forbidden: when `hostUsers` is false'],
    ],
    [
      'huge pages need cpu or memory beside them',
      { containers: [{ name: 'main', image: 'a', resources: { limits: { 'hugepages-2Mi': '2Mi' } } }] },
      ['spec.containers[0].resources: Forbidden: HugePages require cpu or memory'],
    ],
    [
      'extended resources cannot be overcommitted',
      {
        containers: [
          {
            name: 'main',
            image: 'a',
            resources: { limits: { 'example.com/gpu': '2' }, requests: { 'example.com/gpu': '1' } },
          },
        ],
      },
      ['spec.containers[0].resources.requests: Invalid value: "1": must be equal to example.com/gpu limit of 2'],
    ],
    [
      'projected sources must not write one path twice',
      {
        volumes: [
          {
            name: 'all',
            projected: {
              sources: [
                { secret: { name: 's', items: [{ key: 'a', path: 'x' }] } },
                { configMap: { name: 'c', items: [{ key: 'b', path: 'x' }] } },
              ],
            },
          },
        ],
      },
      ['spec.volumes[0].projected: Invalid value: "c": conflicting duplicate paths'],
    ],
    [
      'a field reference must name a field that a variable may show',
      {
        containers: [
          { name: 'main', image: 'a', env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.containers' } } }] },
        ],
      },
      [
        'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.containers": ' +
          'error converting fieldPath: field label not supported: spec.containers',
      ],
    ],
    [
      'privileges exclude each other',
      {
        containers: [
          { name: 'main', image: 'a', securityContext: { privileged: true, allowPrivilegeEscalation: false } },
        ],
      },
      [
        'spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: ' +
          'cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
      ],
    ],
    [
      'at most three name servers',
      { dnsConfig: { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] } },
      [
        'spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.2","1.1.1.3","1.1.1.4"]: ' +
          'must not have more than 3 nameservers',
      ],
    ],
    [
      'tolerationSeconds belongs to NoExecute',
      { tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 5 }] },
      [
        'spec.tolerations[0].effect: Invalid value: "NoSchedule": ' +
          "effect must be 'NoExecute' when `tolerationSeconds` is set",
      ],
    ],
  ]
  for (const [rule, spec, expected] of cases) test(rule, () => expect(check(spec)).toEqual(expected))
})

test('a template takes no ephemeral containers', () => {
  const template = defaultPodTemplateSpec({
    spec: {
      containers: [{ name: 'main', image: 'a' }],
      ephemeralContainers: [{ name: 'debug', image: 'b' }],
    },
  })
  expect(texts(validatePodTemplateSpec(template, new FieldPath('spec.template')))).toEqual([
    'spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template',
  ])
})

test('ephemeral containers are added, never changed or removed', () => {
  const before = podWith({ ephemeralContainers: [{ name: 'debug', image: 'b' }] })
  const added = podWith({
    ephemeralContainers: [
      { name: 'debug', image: 'b' },
      { name: 'more', image: 'c' },
    ],
  })
  expect(texts(validateEphemeralContainersUpdate(added, before))).toEqual([])
  expect(texts(validateEphemeralContainersUpdate(podWith({}), before))).toEqual([
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed\n',
  ])
})

test('a resize changes cpu and memory, but neither the quality of service class nor anything else', () => {
  const sized = (cpu: string, image = 'app:1') =>
    podWith({ containers: [{ name: 'main', image, resources: { requests: { cpu } } }] })
  expect(texts(validatePodResize(sized('2'), sized('1')))).toEqual([])
  expect(texts(validatePodResize(podWith({}), sized('1')))).toContain(
    'spec: Invalid value: "BestEffort": Pod QOS Class may not change as a result of resizing',
  )
  expect(texts(validatePodResize(sized('2', 'app:2'), sized('1')))).toEqual([
    'spec: Forbidden: only cpu and memory resources are mutable\n' +
      '- \tcontainers[0].image: "app:1"\n+ \tcontainers[0].image: "app:2"',
  ])
})
