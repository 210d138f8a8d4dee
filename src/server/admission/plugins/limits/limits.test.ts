/** What limit ranges give and refuse, as tables. */

import { describe, expect, test } from 'vitest'
import { container, pod } from '../../../../../test/support/builders.ts'
import type { Container, LimitRangeItem } from '../../../../apis/core/types.gen.ts'
import { claimViolations, podViolations } from './constraints.ts'
import { containerDefaults } from './container-defaults.ts'

const range = (...limits: readonly LimitRangeItem[]) => ({ metadata: { name: 'limits' }, spec: { limits } })
const asking = (requests: Record<string, string>, limits: Record<string, string> = {}): Partial<Container> => ({
  resources: { requests, limits },
})
const withDefaults = containerDefaults()
const podOf = (...containers: readonly Partial<Container>[]) =>
  pod({ spec: { containers: containers.map((parts, index) => container({ name: `c${index}`, ...parts })) } })

describe('defaults', () => {
  const defaults = range({
    type: 'Container',
    default: { cpu: '500m', memory: '500Mi' },
    defaultRequest: { cpu: '100m', memory: '200Mi' },
  })

  test('fill in what a container does not say, and leave what it says', () => {
    const given = withDefaults(podOf({}, asking({ cpu: '300m' }, { cpu: '400m' })), [defaults])
    expect(given.spec?.containers.map(({ resources }) => resources)).toEqual([
      { requests: { cpu: '100m', memory: '200Mi' }, limits: { cpu: '500m', memory: '500Mi' } },
      { requests: { cpu: '300m', memory: '200Mi' }, limits: { cpu: '400m', memory: '500Mi' } },
    ])
  })

  test('are told in an annotation', () => {
    const spec = { containers: [container()], initContainers: [container({ name: 'first' })] }
    expect(withDefaults(pod({ spec }), [defaults]).metadata.annotations).toEqual({
      'kubernetes.io/limit-ranger':
        'LimitRanger plugin set: cpu, memory request for container app; cpu, memory limit for container app; ' +
        'cpu, memory request for init container first; cpu, memory limit for init container first',
    })
  })

  test('change nothing where everything is said', () => {
    const said = podOf(asking({ cpu: '1', memory: '1' }, { cpu: '1', memory: '1' }))
    expect(withDefaults(said, [defaults])).toBe(said)
  })

  test('for pods are no defaults of containers', () => {
    const silent = podOf({})
    expect(withDefaults(silent, [range({ type: 'Pod', min: { cpu: '1' } })])).toBe(silent)
  })
})

describe('bounds', () => {
  const table: readonly [string, LimitRangeItem, ReturnType<typeof pod>, readonly string[]][] = [
    [
      'a request below the minimum',
      { type: 'Container', min: { cpu: '200m' } },
      podOf(asking({ cpu: '100m' })),
      ['minimum cpu usage per Container is 200m, but request is 100m'],
    ],
    [
      'a limit below the minimum',
      { type: 'Container', min: { cpu: '200m' } },
      podOf(asking({ cpu: '200m' }, { cpu: '100m' })),
      ['minimum cpu usage per Container is 200m, but limit is 100m'],
    ],
    [
      'no request where there is a minimum',
      { type: 'Container', min: { memory: '1Gi' } },
      podOf({}),
      ['minimum memory usage per Container is 1Gi.  No request is specified'],
    ],
    [
      'no limit where there is a maximum',
      { type: 'Container', max: { cpu: '1' } },
      podOf(asking({ cpu: '1' })),
      ['maximum cpu usage per Container is 1.  No limit is specified'],
    ],
    [
      'a limit above the maximum, in every container',
      { type: 'Container', max: { cpu: '1' } },
      podOf(asking({}, { cpu: '2' }), asking({}, { cpu: '3' })),
      ['maximum cpu usage per Container is 1, but limit is 2', 'maximum cpu usage per Container is 1, but limit is 3'],
    ],
    [
      'a limit too far above the request',
      { type: 'Container', maxLimitRequestRatio: { cpu: '1500m' } },
      podOf(asking({ cpu: '1' }, { cpu: '2' })),
      ['cpu max limit to request ratio per Container is 1500m, but provided ratio is 2.000000'],
    ],
    [
      'a ratio without a request',
      { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      podOf(asking({}, { cpu: '2' })),
      ['cpu max limit to request ratio per Container is 2, but no request is specified or request is 0'],
    ],
    [
      'a pod whose containers ask for too much together',
      { type: 'Pod', max: { cpu: '1' } },
      podOf(asking({ cpu: '600m' }, { cpu: '600m' }), asking({ cpu: '600m' }, { cpu: '600m' })),
      ['maximum cpu usage per Pod is 1, but limit is 1200m'],
    ],
    [
      'what is within all bounds',
      { type: 'Container', min: { cpu: '100m' }, max: { cpu: '1' }, maxLimitRequestRatio: { cpu: '10' } },
      podOf(asking({ cpu: '100m' }, { cpu: '1' })),
      [],
    ],
  ]
  test.each(table)('%s', (_, item, subject, expected) => {
    expect(podViolations(subject, [item])).toEqual(expected)
  })

  test('the overhead of a pod is not counted', () => {
    const containers = [container(asking({ cpu: '1' }, { cpu: '1' }))]
    const heavy = pod({ spec: { containers, overhead: { cpu: '5' } } })
    expect(podViolations(heavy, [{ type: 'Pod', max: { cpu: '1' } }])).toEqual([])
  })

  const claim = (storage: string) => ({ metadata: {}, spec: { resources: { requests: { storage } } } })
  test.each([
    ['1Gi', ['minimum storage usage per PersistentVolumeClaim is 2Gi, but request is 1Gi']],
    ['2Gi', []],
    ['6Gi', ['maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 6Gi']],
  ])('a claim of %s', (storage, expected) => {
    const item = { type: 'PersistentVolumeClaim', min: { storage: '2Gi' }, max: { storage: '5Gi' } } as const
    expect(claimViolations(claim(storage), [item])).toEqual(expected)
  })
})
