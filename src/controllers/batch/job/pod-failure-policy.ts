/** What a job's policy says of a failed pod: the first rule that matches decides. */

import type {
  Job,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
} from '../../../apis/batch/types.gen.ts'
import type { ContainerStatus, Pod } from '../../../apis/core/types.gen.ts'

export interface FailureVerdict {
  readonly action: PodFailurePolicyRule['action'] | undefined
  /** Whether the failure counts towards the limits. */
  readonly counts: boolean
  /** Why the whole job fails, if it does. */
  readonly failsJob?: string | undefined
}

/** Without a rule that matches, the failure counts. */
export function judgeFailure({ spec }: Job, pod: Pod): FailureVerdict {
  for (const [index, rule] of (spec.podFailurePolicy?.rules ?? []).entries()) {
    const match = matchOf(rule, pod)
    if (match === undefined) continue
    const { action } = rule
    const failsJob = action === 'FailJob' ? `${match} matching FailJob rule at index ${index}` : undefined
    return { action, counts: action !== 'Ignore', failsJob }
  }
  return { action: undefined, counts: true }
}

/** What of the pod matches, in words. */
function matchOf({ onExitCodes, onPodConditions }: PodFailurePolicyRule, pod: Pod): string | undefined {
  const name = `${pod.metadata.namespace}/${pod.metadata.name}`
  if (onExitCodes) {
    const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {}
    const statuses = [...containerStatuses, ...initContainerStatuses]
    const container = statuses.find((status) => hasExitCode(status, onExitCodes))
    const code = container?.state?.terminated?.exitCode
    return container && `Container ${container.name} for pod ${name} failed with exit code ${code}`
  }
  const condition = (pod.status?.conditions ?? []).find((one) =>
    onPodConditions?.some((pattern) => isLike(one, pattern)),
  )
  return condition && `Pod ${name} has condition ${condition.type}`
}

function hasExitCode(
  { name, state }: ContainerStatus,
  { containerName, operator, values }: PodFailurePolicyOnExitCodesRequirement,
): boolean {
  const code = state?.terminated?.exitCode ?? 0
  if (code === 0 || (containerName !== undefined && containerName !== name)) return false
  return values.includes(code) === (operator === 'In')
}

function isLike(
  condition: { readonly type: string; readonly status: string },
  pattern: PodFailurePolicyOnPodConditionsPattern,
): boolean {
  return condition.type === pattern.type && condition.status === pattern.status
}
