/** The pod security standards, as tables. */

import { describe, expect, test } from 'vitest'
import { container, pod } from '../../../../../test/support/builders.ts'
import type { Container, PodSpec, SecurityContext } from '../../../../apis/core/types.gen.ts'
import { detailsText, violationsOf } from './evaluate.ts'
import { existingPodWarnings } from './existing-pods.ts'
import { type Level, policyErrors, policyOf, standardText } from './policy.ts'

const LATEST = Number.POSITIVE_INFINITY

function found(level: Level, spec: Partial<PodSpec>, minor = LATEST, annotations: Record<string, string> = {}): string {
  const subject = { spec: { containers: [container()], ...spec }, annotations }
  return detailsText(violationsOf(subject, { level, minor }))
}

const secured = (context: SecurityContext, parts: Partial<Container> = {}) => ({
  containers: [container({ ...parts, securityContext: context })],
})
const GOOD: SecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
}

describe('baseline', () => {
  const table: readonly [Partial<PodSpec>, string][] = [
    [{}, ''],
    [secured({ privileged: true }), 'privileged (container "app" must not set securityContext.privileged=true)'],
    [{ hostNetwork: true, hostPID: true }, 'host namespaces (hostNetwork=true, hostPID=true)'],
    [{ volumes: [{ name: 'v', hostPath: { path: '/' } }] }, 'hostPath volumes (volume "v")'],
    [
      { containers: [container({ ports: [{ containerPort: 80, hostPort: 80 }] })] },
      'hostPort (container "app" uses hostPort 80)',
    ],
    [
      secured({ capabilities: { add: ['NET_ADMIN', 'CHOWN'] } }),
      'non-default capabilities (container "app" must not include "NET_ADMIN" in securityContext.capabilities.add)',
    ],
    [{ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }, 'forbidden sysctls (kernel.msgmax)'],
    [
      { securityContext: { seLinuxOptions: { type: 'evil_t', user: 'me' } } },
      'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "evil_t"; user may not be set)',
    ],
    [
      { securityContext: { seccompProfile: { type: 'Unconfined' } } },
      'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      { securityContext: { appArmorProfile: { type: 'Unconfined' } } },
      'forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")',
    ],
    [
      { securityContext: { windowsOptions: { hostProcess: true } } },
      'hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
    ],
    [
      secured({ procMount: 'Unmasked' }),
      'procMount (container "app" must not set securityContext.procMount to "Unmasked")',
    ],
    [{ ...secured({ procMount: 'Unmasked' }), hostUsers: false }, ''],
    [
      { containers: [container({ livenessProbe: { httpGet: { port: 80, host: '1.2.3.4' } } })] },
      'probe or lifecycle host (container "app" uses probe or lifecycle host "1.2.3.4")',
    ],
  ]
  test.each(table)('%j', (spec, expected) => {
    expect(found('baseline', spec)).toBe(expected)
  })

  test('knows older annotations', () => {
    const annotations = { 'container.apparmor.security.beta.kubernetes.io/app': 'unconfined' }
    expect(found('baseline', {}, LATEST, annotations)).toContain('annotation must not set AppArmor profile type')
  })
})

describe('restricted', () => {
  test('asks for everything of a pod that says nothing', () => {
    expect(found('restricted', {})).toBe(
      'allowPrivilegeEscalation != false (container "app" must set securityContext.allowPrivilegeEscalation=false), ' +
        'unrestricted capabilities (container "app" must set securityContext.capabilities.drop=["ALL"]), ' +
        'runAsNonRoot != true (pod or container "app" must set securityContext.runAsNonRoot=true), ' +
        'seccompProfile (pod or container "app" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    )
  })

  test('is content with a pod that says what it should', () => {
    expect(found('restricted', secured(GOOD))).toBe('')
  })

  const table: readonly [Partial<PodSpec>, string][] = [
    [
      { ...secured(GOOD), volumes: [{ name: 'v', hostPath: { path: '/' } }] },
      'restricted volume types (volume "v" uses restricted volume type "hostPath")',
    ],
    [{ ...secured(GOOD), volumes: [{ name: 'v', emptyDir: {} }] }, ''],
    [secured({ ...GOOD, runAsUser: 0 }), 'runAsUser=0 (container "app" must not set runAsUser=0)'],
    [{ ...secured({ ...GOOD, runAsUser: 0, runAsNonRoot: false }), hostUsers: false }, ''],
    [
      { ...secured(GOOD), securityContext: { runAsNonRoot: false } },
      'runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)',
    ],
    [
      secured({ ...GOOD, capabilities: { drop: ['ALL'], add: ['CHOWN'] } }),
      'unrestricted capabilities (container "app" must not include "CHOWN" in securityContext.capabilities.add)',
    ],
    [{ ...secured({ runAsNonRoot: true }), os: { name: 'windows' } }, ''],
  ]
  test.each(table)('%j', (spec, expected) => {
    expect(found('restricted', spec)).toBe(expected)
  })

  test('asks less in older versions', () => {
    expect(found('restricted', {}, 18)).toBe(
      'allowPrivilegeEscalation != false (container "app" must set securityContext.allowPrivilegeEscalation=false), ' +
        'runAsNonRoot != true (pod or container "app" must set securityContext.runAsNonRoot=true)',
    )
  })
})

describe('labels', () => {
  const of = (labels: Record<string, string>) => {
    const { enforce, audit, warn } = policyOf(
      Object.fromEntries(Object.entries(labels).map(([name, value]) => [`pod-security.kubernetes.io/${name}`, value])),
    )
    return [enforce, audit, warn].map(standardText)
  }
  test.each([
    [{}, ['privileged:latest', 'privileged:latest', 'privileged:latest']],
    [{ enforce: 'baseline' }, ['baseline:latest', 'privileged:latest', 'baseline:latest']],
    [
      { enforce: 'restricted', 'enforce-version': 'v1.30' },
      ['restricted:v1.30', 'privileged:latest', 'restricted:v1.30'],
    ],
    [{ enforce: 'restricted', warn: 'baseline' }, ['restricted:latest', 'privileged:latest', 'baseline:latest']],
    [{ enforce: 'nonsense', audit: 'nonsense' }, ['restricted:latest', 'privileged:latest', 'privileged:latest']],
  ])('%j', (labels, expected) => {
    expect(of(labels)).toEqual(expected)
  })

  test('that make no sense are findings', () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'high', 'pod-security.kubernetes.io/warn-version': '1.2' }
    expect(policyErrors(labels).map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "high": must be one of privileged, baseline, restricted',
      'metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.2": must be "latest" or "v1.x"',
    ])
  })
})

test('pods that are there already are told of in groups', () => {
  const privileged = secured({ privileged: true })
  const pods = ['b', 'a', 'c'].map((name) => pod({ metadata: { name }, spec: privileged }))
  const sharing = pod({ metadata: { name: 'sharing' }, spec: { hostPID: true } })
  const fine = pod({ metadata: { name: 'fine' } })
  expect(existingPodWarnings('team', [...pods, sharing, fine], { level: 'baseline', minor: LATEST })).toEqual([
    'existing pods in namespace "team" violate the new PodSecurity enforce level "baseline:latest"',
    'a (and 2 other pods): privileged',
    'sharing: host namespaces',
  ])
})
