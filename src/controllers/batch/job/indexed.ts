/** Jobs whose pods have indexes: which of them are done, failed or still to be made, and which pods are one too many. */

import type { Job } from '../../../apis/batch/types.gen.ts'
import type { Container, Pod, PodTemplateSpec } from '../../../apis/core/types.gen.ts'
import { groupBy } from '../../../base/group-by.ts'
import { podsToDelete } from '../../apps/pod-ranking.ts'
import { firstMissing, hasIndex, type Indexes, indexesOf, readIndexes, union } from './intervals.ts'
import {
  COMPLETION_INDEX,
  completionIndex,
  finishedMs,
  INDEX_FAILURE_COUNT,
  INDEX_IGNORED_FAILURE_COUNT,
  ignoredIndexFailures,
  indexBelow,
  indexFailures,
  isPodFailed,
  isPodSucceeded,
  isTracked,
  replacesOnlyFailed,
} from './job-pods.ts'
import { judgeFailure } from './pod-failure-policy.ts'

const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX'
/** What a generated name has room for before its random end. */
const NAME_BASE_LENGTH_MAX = 58

export interface IndexState {
  /** As the status has them. */
  readonly counted: Indexes
  readonly succeeded: Indexes
  /** Undefined without a limit per index. */
  readonly failed: Indexes | undefined
}

export function indexState(job: Job, pods: readonly Pod[]): IndexState {
  const { completions = 0, backoffLimitPerIndex } = job.spec
  const tracked = pods.filter(isTracked)
  const indexesWhere = (holds: (pod: Pod) => boolean): Indexes =>
    indexesOf(tracked.filter(holds).flatMap((pod) => indexBelow(pod, completions) ?? []))
  const counted = readIndexes(job.status?.completedIndexes, completions)
  const failed =
    backoffLimitPerIndex === undefined
      ? undefined
      : union(
          readIndexes(job.status?.failedIndexes, completions),
          indexesWhere((pod) => failsIndex(job, pod, backoffLimitPerIndex)),
        )
  return { counted, succeeded: union(counted, indexesWhere(isPodSucceeded)), failed }
}

function failsIndex(job: Job, pod: Pod, limit: number): boolean {
  if (!isPodFailed(pod, job)) return false
  const { action, counts } = judgeFailure(job, pod)
  return action === 'FailIndex' || (counts && indexFailures(pod) >= limit)
}

/**
 * The last failed pod of each index that is to be tried again. It stays until its successor is there: from it the
 * successor learns how many failed before.
 */
export function awaitedPods(
  job: Job,
  pods: readonly Pod[],
  active: readonly Pod[],
  state: IndexState,
): ReadonlyMap<number, Pod> {
  const { completions = 0, backoffLimitPerIndex } = job.spec
  const awaited = new Map<number, Pod>()
  if (backoffLimitPerIndex === undefined) return awaited
  const settled = union(
    state.succeeded,
    state.failed ?? [],
    indexesOf(active.flatMap((pod) => completionIndex(pod) ?? [])),
  )
  for (const pod of pods) {
    const index = indexBelow(pod, completions)
    if (index === undefined || !isTracked(pod) || !isPodFailed(pod, job) || hasIndex(settled, index)) continue
    const other = awaited.get(index)
    if (!other || isLater(pod, other)) awaited.set(index, pod)
  }
  return awaited
}

function isLater(pod: Pod, other: Pod): boolean {
  const failures = (one: Pod): number => indexFailures(one) + ignoredIndexFailures(one)
  return failures(other) <= failures(pod) && finishedMs(pod) >= finishedMs(other)
}

/** The lowest indexes that nothing has, of pods nor of results. */
export function pendingIndexes(
  job: Job,
  { active, terminating }: { readonly active: readonly Pod[]; readonly terminating: readonly Pod[] },
  { succeeded, failed }: IndexState,
  count: number,
): readonly number[] {
  const busy = replacesOnlyFailed(job) ? [...active, ...terminating] : active
  const taken = union(succeeded, failed ?? [], indexesOf(busy.flatMap((pod) => completionIndex(pod) ?? [])))
  return firstMissing(taken, job.spec.completions ?? 0, count)
}

/** Pods without an index of the job, and all but the best of those that share one. */
export function surplusIndexPods(active: readonly Pod[], completions: number, nowMs: number): readonly Pod[] {
  const groups = groupBy(active, (pod) => indexBelow(pod, completions))
  return [...groups].flatMap(([index, group]) =>
    index === undefined ? group : podsToDelete(group, [], group.length - 1, nowMs),
  )
}

/** The template of the pod of an index, and what its name begins with. `replaced` is the failed pod before it. */
export function indexTemplate(
  job: Job,
  template: PodTemplateSpec,
  index: number,
  replaced: Pod | undefined,
): PodTemplateSpec {
  const { labels, annotations, ...metadata } = template.metadata ?? {}
  const spec = template.spec ?? { containers: [] }
  return {
    metadata: {
      ...metadata,
      labels: { ...labels, [COMPLETION_INDEX]: String(index) },
      annotations: { ...annotations, [COMPLETION_INDEX]: String(index), ...failureCounts(job, replaced) },
    },
    spec: {
      ...spec,
      hostname: `${job.metadata.name}-${index}`,
      containers: spec.containers.map(withIndexVariable),
      ...(spec.initContainers ? { initContainers: spec.initContainers.map(withIndexVariable) } : {}),
    },
  }
}

export function indexNameBase(jobName: string, index: number): string {
  const end = `-${index}-`
  return jobName.slice(0, NAME_BASE_LENGTH_MAX - end.length) + end
}

function failureCounts(job: Job, replaced: Pod | undefined): Readonly<Record<string, string>> {
  if (job.spec.backoffLimitPerIndex === undefined) return {}
  const counts = replaced === undefined || judgeFailure(job, replaced).counts
  const failures = replaced ? indexFailures(replaced) + Number(counts) : 0
  const ignored = replaced ? ignoredIndexFailures(replaced) + Number(!counts) : 0
  return {
    [INDEX_FAILURE_COUNT]: String(failures),
    ...(ignored > 0 ? { [INDEX_IGNORED_FAILURE_COUNT]: String(ignored) } : {}),
  }
}

function withIndexVariable(container: Container): Container {
  const { env = [] } = container
  if (env.some(({ name }) => name === INDEX_VARIABLE)) return container
  const fieldPath = `metadata.labels['${COMPLETION_INDEX}']`
  return { ...container, env: [...env, { name: INDEX_VARIABLE, valueFrom: { fieldRef: { fieldPath } } }] }
}
