import { expect, test } from 'vitest'
import { job, pod } from '../../../../test/support/builders.ts'
import type { PodFailurePolicyRule } from '../../../apis/batch/types.gen.ts'
import type { PodStatus } from '../../../apis/core/types.gen.ts'
import { judgeFailure } from './pod-failure-policy.ts'

const exited = (exitCode: number, name = 'main') => ({
  name,
  ready: false,
  restartCount: 0,
  image: '',
  imageID: '',
  state: { terminated: { exitCode } },
})
const disrupted: PodStatus = { phase: 'Failed', conditions: [{ type: 'DisruptionTarget', status: 'True' }] }
const ON_FIVE = { operator: 'In', values: [5, 6] } as const
const ON_DISRUPTION = [{ type: 'DisruptionTarget', status: 'True' }] as const

const judge = (rules: readonly PodFailurePolicyRule[], status: PodStatus) =>
  judgeFailure(
    job({ spec: { podFailurePolicy: { rules } } }),
    pod({ metadata: { name: 'a', namespace: 'ns' }, status }),
  )

for (const [situation, rules, status, expected] of [
  ['no rule', [], { containerStatuses: [exited(5)] }, { counts: true }],
  [
    'a code that is listed',
    [{ action: 'FailJob', onExitCodes: ON_FIVE }],
    { containerStatuses: [exited(5)] },
    {
      action: 'FailJob',
      counts: true,
      failsJob: 'Container main for pod ns/a failed with exit code 5 matching FailJob rule at index 0',
    },
  ],
  [
    'a code that is not listed',
    [{ action: 'FailJob', onExitCodes: ON_FIVE }],
    { containerStatuses: [exited(7)] },
    { counts: true },
  ],
  [
    'a code other than those listed',
    [{ action: 'Ignore', onExitCodes: { operator: 'NotIn', values: [5] } }],
    { containerStatuses: [exited(7)] },
    { action: 'Ignore', counts: false },
  ],
  [
    'success, which is no failure of another code',
    [{ action: 'Ignore', onExitCodes: { operator: 'NotIn', values: [5] } }],
    { containerStatuses: [exited(0)] },
    { counts: true },
  ],
  [
    'the code of another container',
    [{ action: 'Ignore', onExitCodes: { ...ON_FIVE, containerName: 'main' } }],
    { containerStatuses: [exited(5, 'side')] },
    { counts: true },
  ],
  [
    'the code of an init container',
    [{ action: 'FailIndex', onExitCodes: ON_FIVE }],
    { initContainerStatuses: [exited(6, 'init')] },
    { action: 'FailIndex', counts: true },
  ],
  [
    'a condition, behind a rule that does not match',
    [
      { action: 'Count', onExitCodes: ON_FIVE },
      { action: 'FailJob', onPodConditions: ON_DISRUPTION },
    ],
    disrupted,
    {
      action: 'FailJob',
      counts: true,
      failsJob: 'Pod ns/a has condition DisruptionTarget matching FailJob rule at index 1',
    },
  ],
  [
    'the first of two rules that match',
    [
      { action: 'Ignore', onPodConditions: ON_DISRUPTION },
      { action: 'FailJob', onPodConditions: ON_DISRUPTION },
    ],
    disrupted,
    { action: 'Ignore', counts: false },
  ],
  [
    'a condition that does not hold',
    [{ action: 'Ignore', onPodConditions: ON_DISRUPTION }],
    { conditions: [{ type: 'DisruptionTarget', status: 'False' }] },
    { counts: true },
  ],
] satisfies readonly (readonly [string, readonly PodFailurePolicyRule[], PodStatus, object])[])
  test(situation, () => expect(judge(rules, status)).toEqual(expected))
