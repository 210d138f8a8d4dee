import { describe, expect, test } from 'vitest'
import { container } from '../../../test/support/builders.ts'
import { findings, row, type Sent, updateFindings, writeContext } from '../../../test/support/findings.ts'
import { jobs } from './job.ts'
import type { Job, JobSpec } from './types.gen.ts'

// Rows and messages: upstream's validation tests.

type Parts = Partial<Omit<JobSpec, 'completionMode' | 'podReplacementPolicy' | 'podFailurePolicy'>> & object

const template = { metadata: { labels: { app: 'pi' } }, spec: { restartPolicy: 'Never', containers: [container()] } }
const indexed = { completionMode: 'Indexed' }

function job(spec: Parts = {}, metadata: object = {}): Job & Sent {
  const object = { metadata: { name: 'pi', uid: '1a2b3c', ...metadata }, spec: { template, ...spec } } as Job
  return jobs.prepareForCreate(jobs.default(object), writeContext) as Job & Sent
}

const errorsOf = (spec: Parts): readonly string[] => findings(jobs, job(spec)).map(withoutType)
const withoutType = (line: string): string => line.slice(line.indexOf(' ') + 1)
const policy = (...rules: readonly object[]) => ({ podFailurePolicy: { rules } })
const success = (...rules: readonly object[]) => ({ ...indexed, completions: 5, successPolicy: { rules } })
const exitCodes = (values: readonly number[], more: object = {}) => ({
  action: 'FailJob',
  onExitCodes: { operator: 'In', values, ...more },
})
const times = <T>(count: number, value: T): readonly T[] => Array.from({ length: count }, () => value)

describe('a new job', () => {
  test('gets counts, policies and a selector of its own', () => {
    const { spec, metadata } = job()
    const labels = {
      app: 'pi',
      'controller-uid': '1a2b3c',
      'job-name': 'pi',
      'batch.kubernetes.io/controller-uid': '1a2b3c',
      'batch.kubernetes.io/job-name': 'pi',
    }
    expect(metadata).toMatchObject({ generation: 1, labels })
    const { template: _, ...others } = spec
    expect(others).toEqual({
      completions: 1,
      parallelism: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
      podReplacementPolicy: 'TerminatingOrFailed',
      manualSelector: false,
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': '1a2b3c' } },
    })
    expect(spec.template.metadata?.labels).toEqual(labels)
  })

  test('that only says how many run at once ends when one succeeds', () => {
    const { completions, parallelism } = job({ parallelism: 3 }).spec
    expect([completions, parallelism]).toEqual([undefined, 3])
  })

  test('with a limit per index has no limit on the whole', () => {
    expect(job({ ...indexed, completions: 2, backoffLimitPerIndex: 1 }).spec.backoffLimit).toBe(2 ** 31 - 1)
  })

  test('with a failure policy replaces only failed pods', () => {
    const { podReplacementPolicy, podFailurePolicy } = job(
      policy({ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }),
    ).spec
    expect(podReplacementPolicy).toBe('Failed')
    expect(podFailurePolicy?.rules[0]?.onPodConditions).toEqual([{ type: 'DisruptionTarget', status: 'True' }])
  })
})

describe('jobs that are taken', () => {
  for (const [what, spec] of [
    ['a manual selector', { manualSelector: true, selector: { matchLabels: { app: 'pi' } } }],
    ['an external controller', { managedBy: 'example.com/foo' }],
    ['Windows exit codes', policy(exitCodes([-1073741819, -1073741676], { operator: 'NotIn' }))],
    ['a success policy', success({ succeededCount: 1, succeededIndexes: '0,2,4' }, { succeededIndexes: '1,3' })],
    [
      'many indexes',
      { ...indexed, completions: 1e9, parallelism: 1e4, maxFailedIndexes: 1e4, backoffLimitPerIndex: 1 },
    ],
  ] as const) {
    test(what, () => expect(errorsOf(spec)).toEqual([]))
  }
})

describe('jobs that are refused', () => {
  for (const [spec, ...expected] of [
    [{ parallelism: -1 }, 'spec.parallelism: Invalid value: -1: must be greater than or equal to 0'],
    [{ backoffLimit: -1 }, 'spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0'],
    [{ managedBy: `example.com/${'x'.repeat(60)}` }, 'spec.managedBy: Too long: may not be more than 63 bytes'],
    [
      { managedBy: 'invalid name' },
      'spec.managedBy: Invalid value: "invalid name": must be a domain-prefixed path (such as "acme.io/foo")',
    ],
    [
      { successPolicy: { rules: [] } },
      'spec.successPolicy: Invalid value: {"rules":[]}: requires indexed completion mode',
    ],
    [
      success(),
      'spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is specified',
    ],
    [
      success({}),
      'spec.successPolicy.rules[0]: Required value: ' +
        'at least one of succeededCount or succeededIndexes must be specified',
    ],
    [
      success({ succeededIndexes: 'invalid-format' }),
      'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "invalid-format": ' +
        'error parsing succeededIndexes: cannot convert string to integer for index: "invalid"',
    ],
    [
      success({ succeededCount: 6 }),
      'spec.successPolicy.rules[0].succeededCount: Invalid value: 6: ' +
        'must be less than or equal to 5 (the number of specified completions)',
    ],
    [
      success({ succeededCount: 4, succeededIndexes: '0-2' }),
      'spec.successPolicy.rules[0].succeededCount: Invalid value: 4: ' +
        'must be less than or equal to 3 (the number of indexes in the specified succeededIndexes field)',
    ],
    [
      success(...times(21, { succeededCount: 1 })),
      'spec.successPolicy.rules: Too many: 21: must have at most 20 items',
    ],
    [
      policy({ action: 'FailJob' }),
      'spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required',
    ],
    [
      policy({ ...exitCodes([1]), onPodConditions: [{ type: 'DisruptionTarget' }] }),
      'spec.podFailurePolicy.rules[0]: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported',
    ],
    [policy(...times(21, exitCodes([1]))), 'spec.podFailurePolicy.rules: Too many: 21: must have at most 20 items'],
    [policy(exitCodes([11, 11])), 'spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Duplicate value: 11'],
    [
      policy(exitCodes([19, 11])),
      'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [19,11]: must be ordered',
    ],
    [
      policy(exitCodes([])),
      'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: []: at least one value is required',
    ],
    [
      policy(exitCodes([0, 1])),
      'spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator',
    ],
    [
      policy(exitCodes([1], { operator: '' })),
      'spec.podFailurePolicy.rules[0].onExitCodes.operator: Required value: valid values: ["In" "NotIn"]',
    ],
    [
      policy(exitCodes([1], { containerName: 'xyz' })),
      'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "xyz": ' +
        'must be one of the container or initContainer names in the pod template',
    ],
    [
      policy({ ...exitCodes([1]), action: '' }),
      'spec.podFailurePolicy.rules[0].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]',
    ],
    [
      policy({ ...exitCodes([1]), action: 'UnknownAction' }),
      'spec.podFailurePolicy.rules[0].action: Unsupported value: "UnknownAction": ' +
        'supported values: "Count", "FailIndex", "FailJob", "Ignore"',
    ],
    [
      policy({ ...exitCodes([1]), action: 'FailIndex' }),
      'spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
    ],
    [
      policy({ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'Maybe' }] }),
      'spec.podFailurePolicy.rules[0].onPodConditions[0].status: Unsupported value: "Maybe": ' +
        'supported values: "False", "True", "Unknown"',
    ],
    [
      { ...policy(exitCodes([1])), podReplacementPolicy: 'TerminatingOrFailed' },
      'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
    ],
    [
      { podReplacementPolicy: '' },
      'spec.podReplacementPolicy: Unsupported value: "": supported values: "Failed", "TerminatingOrFailed"',
    ],
    [
      { ...policy(exitCodes([1])), template: { spec: { ...template.spec, restartPolicy: 'OnFailure' } } },
      'spec.template.spec.restartPolicy: Invalid value: "OnFailure": ' +
        'only "Never" is supported when podFailurePolicy is specified',
    ],
    [
      { template: { spec: { containers: [container()] } } },
      'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ],
    [{ backoffLimitPerIndex: 1 }, 'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode'],
    [
      { ...indexed, completions: 10, maxFailedIndexes: 11, backoffLimitPerIndex: 1 },
      'spec.maxFailedIndexes: Invalid value: 11: must be less than or equal to completions',
    ],
    [
      { ...indexed, completions: 10, maxFailedIndexes: 1 },
      'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
    ],
    [
      { ...indexed, completions: 100_001, parallelism: 50_000, backoffLimitPerIndex: 1 },
      'spec.maxFailedIndexes: Required value: must be specified when completions is above 100000',
      'spec.parallelism: Invalid value: 50000: must be less than or equal to 10000 ' +
        'when completions are above 100000 and used with backoff limit per index',
    ],
    [{ ...indexed, parallelism: 1 }, 'spec.completions: Required value: when completion mode is Indexed'],
    [
      { ...indexed, completions: 2, parallelism: 100_001 },
      'spec.parallelism: Invalid value: 100001: ' +
        'must be less than or equal to 100000 when completion mode is Indexed',
    ],
    [
      { selector: { matchLabels: { a: 'b' } } },
      'spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"1a2b3c","a":"b"}}: ' +
        '`selector` not auto-generated',
      'spec.template.metadata.labels: Invalid value: {"controller-uid":"1a2b3c","job-name":"pi",' +
        '"batch.kubernetes.io/controller-uid":"1a2b3c","batch.kubernetes.io/job-name":"pi","app":"pi"}: ' +
        '`selector` does not match template `labels`',
    ],
  ] as readonly (readonly [Parts, ...string[]])[]) {
    test(expected[0] ?? '', () => expect(errorsOf(spec)).toEqual(expected))
  }

  test('for a name that does not go with indexes', () => {
    const object = job({ ...indexed, completions: 11 }, { name: 'a'.repeat(61) })
    expect(findings(jobs, object)).toEqual([
      `FieldValueInvalid metadata.name: Invalid value: "${'a'.repeat(61)}": ` +
        `will not able to create pod with invalid DNS label: ${'a'.repeat(61)}-10`,
    ])
  })
})

describe('changes', () => {
  const change = (before: Parts, after: Parts, status?: Job['status']) => {
    const previous = { ...job(before), ...(status ? { status } : {}) }
    const next = { ...previous, spec: { ...previous.spec, ...after } }
    return updateFindings(jobs, next, previous).map((line) => line.slice(0, line.indexOf(':')))
  }
  const withSpec = (spec: object) => {
    const { template: own } = job().spec
    return { template: { ...own, spec: { ...own.spec, ...spec } } } as Parts
  }
  const nodeSelector = withSpec({ nodeSelector: { disk: 'ssd' } })
  const resources = withSpec({ containers: [container({ resources: { requests: { cpu: '1' } } })] })
  const image = withSpec({ containers: [container({ image: 'registry.example/app:2' })] })

  for (const [what, before, after, expected, status] of [
    ['how many at once', {}, { parallelism: 2, activeDeadlineSeconds: 4 }, []],
    ['completions', {}, { completions: 2 }, ['FieldValueInvalid spec.completions']],
    ['completions of an indexed job', { ...indexed, completions: 1 }, { completions: 2, parallelism: 2 }, []],
    [
      'completions of an indexed job alone',
      { ...indexed, completions: 1 },
      { completions: 2 },
      ['FieldValueInvalid spec.completions'],
    ],
    ['a manager', {}, { managedBy: 'example.com/foo' }, ['FieldValueInvalid spec.managedBy']],
    ['the template', {}, nodeSelector, ['FieldValueInvalid spec.template']],
    ['scheduling of a suspended job', { suspend: true }, nodeSelector, []],
    ['resources of a suspended job', { suspend: true }, resources, []],
    ['an image of a suspended job', { suspend: true }, image, ['FieldValueInvalid spec.template.spec']],
    [
      'a suspended job with pods',
      { suspend: true },
      nodeSelector,
      ['FieldValueInvalid spec.template'],
      { active: 1, conditions: [{ type: 'Suspended', status: 'True' }] },
    ],
  ] as readonly (readonly [string, Parts, Parts, string[], Job['status']?])[]) {
    test(`of ${what} are ${expected.length === 0 ? 'taken' : 'refused'}`, () => {
      expect(change(before, after, status)).toEqual(expected)
    })
  }
})

test('a job shows its state, its progress and how long it took', () => {
  const status = {
    succeeded: 1,
    startTime: '2026-01-01T00:00:00Z',
    completionTime: '2026-01-01T00:03:20Z',
    conditions: [{ type: 'Complete', status: 'True' }],
  }
  expect(row(jobs, { ...job(), status })).toMatchObject({ Status: 'Complete', Completions: '1/1', Duration: '3m20s' })
  expect(row(jobs, job({ parallelism: 2 }))).toMatchObject({
    Status: 'Running',
    Completions: '0/1 of 2',
    Duration: '',
    Containers: 'app',
  })
})
