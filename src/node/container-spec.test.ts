import { describe, expect, test } from 'vitest'
import { container, pod } from '../../test/support/builders.ts'
import type { Container, PodSpec, SecurityContext } from '../apis/core/types.gen.ts'
import { containerConfig, containerResources } from './container-spec.ts'
import type { ImageStatus } from './runtime/runtime.ts'

const GIB = 2 ** 30
const image: ImageStatus = { id: 'sha256:1', tags: [], digests: [], sizeBytes: 1, user: { uid: 0 } }

function config(parts: Partial<Container> = {}, spec: Partial<PodSpec> = {}, user: ImageStatus['user'] = image.user) {
  const own = container(parts)
  return containerConfig({
    pod: pod({ metadata: { uid: 'uid-1' }, spec: { containers: [own], ...spec } }),
    container: own,
    attempt: 2,
    image: { ...image, user },
    environment: new Map([['NAME', 'world']]),
    mounts: [],
    terminationLog: '/var/log/2',
    memoryCapacityBytes: 8 * GIB,
    restartDelayMs: 20_000,
  })
}

describe('command and arguments', () => {
  test('are expanded', () => {
    expect(config({ command: ['/bin/$(NAME)'], args: ['$(NAME)', '$$(NAME)'] })).toMatchObject({
      command: ['/bin/world'],
      args: ['world', '$(NAME)'],
    })
  })

  test('that are empty or absent leave the image’s', () => {
    const { command, args } = config({ command: [] })
    expect([command, args]).toEqual([undefined, undefined])
  })
})

test('an instance carries what the agent must know about it after a restart', () => {
  const resources = { requests: { cpu: '1' } }
  expect(config({ resources }).annotations).toEqual({
    hash: expect.stringMatching(/^[0-9a-f]{16}$/),
    terminationLog: '/var/log/2',
    restartDelayMs: '20000',
    resources: JSON.stringify(resources),
  })
})

describe('resources', () => {
  for (const [behaviour, resources, expected] of [
    [
      'without requests have the least weight and no limits',
      {},
      { cpuShares: 2, cpuQuotaUs: undefined, memoryLimitBytes: undefined, oomScoreAdjust: 1000 },
    ],
    ['weigh CPU by its request', { requests: { cpu: '500m' } }, { cpuShares: 512 }],
    ['weigh by the limit without a request', { limits: { cpu: '2' } }, { cpuShares: 2048, cpuQuotaUs: 200_000 }],
    ['have a least quota', { limits: { cpu: '1m' } }, { cpuShares: 2, cpuQuotaUs: 1_000 }],
    ['limit memory', { limits: { memory: '64Mi' } }, { memoryLimitBytes: 64 * 2 ** 20 }],
    [
      'that are guaranteed go last',
      { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } },
      { oomScoreAdjust: -997 },
    ],
    ['in between go by their share of memory', { requests: { memory: '2Gi' } }, { oomScoreAdjust: 750 }],
    ['that ask for almost nothing go before best effort', { requests: { memory: '1' } }, { oomScoreAdjust: 999 }],
  ] satisfies readonly (readonly [string, NonNullable<Container['resources']>, object])[]) {
    test(behaviour, () => {
      const own = container({ resources })
      expect(containerResources(pod({ spec: { containers: [own] } }), own, 8 * GIB)).toMatchObject(expected)
    })
  }
})

describe('security', () => {
  test('is the container’s before the pod’s', () => {
    const shared = { runAsUser: 1, runAsGroup: 2, fsGroup: 3, supplementalGroups: [4] }
    expect(config({ securityContext: { runAsUser: 10 } }, { securityContext: shared }).security).toMatchObject({
      user: 10,
      group: 2,
      supplementalGroups: [3, 4],
    })
  })

  test('forbids new privileges only where that can be', () => {
    expect(config({ securityContext: { allowPrivilegeEscalation: false } }).security.noNewPrivileges).toBe(true)
    expect(config().security.noNewPrivileges).toBe(false)
  })

  test('knows the kinds of profiles', () => {
    const profile = (seccompProfile: NonNullable<SecurityContext['seccompProfile']>) =>
      config({ securityContext: { seccompProfile } }).security.seccomp
    expect(profile({ type: 'Unconfined' })).toBe('unconfined')
    expect(profile({ type: 'RuntimeDefault' })).toBe('runtime-default')
    expect(profile({ type: 'Localhost', localhostProfile: 'p.json' })).toEqual({ localhostProfile: 'p.json' })
  })

  const where = '(pod: "web-0_default(uid-1)", container: app)'
  for (const [behaviour, user, imageUser, expected] of [
    ['lets a number through', 1000, {}, undefined],
    ['lets the number of an image through', undefined, { uid: 1000 }, undefined],
    ['refuses root', 0, { uid: 1000 }, `container's runAsUser breaks non-root policy ${where}`],
    [
      'refuses an image that runs as root',
      undefined,
      { uid: 0 },
      `container has runAsNonRoot and image will run as root ${where}`,
    ],
    [
      'refuses a name',
      undefined,
      { name: 'nginx' },
      `container has runAsNonRoot and image has non-numeric user (nginx), cannot verify user is non-root ${where}`,
    ],
  ] as const) {
    test(`that forbids root ${behaviour}`, () => {
      const securityContext = { runAsNonRoot: true, ...(user === undefined ? {} : { runAsUser: user }) }
      const make = () => config({ securityContext }, {}, imageUser)
      if (expected === undefined) expect(make).not.toThrow()
      else expect(make).toThrow(expect.objectContaining({ reason: 'CreateContainerConfigError', message: expected }))
    })
  }
})
