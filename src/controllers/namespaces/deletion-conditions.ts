/** What a terminating namespace says about the deletion of its content: five conditions, always all of them. */

import type { NamespaceCondition } from '../../apis/core/types.gen.ts'
import { groupBy } from '../../base/group-by.ts'
import { formatTime } from '../../machinery/meta/time.ts'

/** What is left of one resource after everything was told to go. */
export interface Remaining {
  readonly group: string
  readonly resource: string
  /** The finalizers of each object that is left. */
  readonly finalizers: readonly (readonly string[])[]
}

export interface DeletionFindings {
  readonly discoveryFailure?: string | undefined
  /** Why resources could not be emptied. */
  readonly contentFailures: readonly string[]
  readonly remaining: readonly Remaining[]
}

interface Rule {
  readonly type: string
  readonly success: { readonly reason: string; readonly message: string }
  readonly failureReason: string
  /** Undefined: all is well. */
  failure(findings: DeletionFindings): string | undefined
}

const RULES: readonly Rule[] = [
  {
    type: 'NamespaceDeletionDiscoveryFailure',
    success: { reason: 'ResourcesDiscovered', message: 'All resources successfully discovered' },
    failureReason: 'DiscoveryFailed',
    failure: ({ discoveryFailure }) => discoveryFailure,
  },
  {
    type: 'NamespaceDeletionGroupVersionParsingFailure',
    success: { reason: 'ParsedGroupVersions', message: 'All legacy kube types successfully parsed' },
    failureReason: 'GroupVersionParsingFailed',
    // Discovery answers with groups and versions apart: there is nothing to parse.
    failure: () => undefined,
  },
  {
    type: 'NamespaceDeletionContentFailure',
    success: {
      reason: 'ContentDeleted',
      message: 'All content successfully deleted, may be waiting on finalization',
    },
    failureReason: 'ContentDeletionFailed',
    failure: ({ contentFailures }) =>
      contentFailures.length === 0
        ? undefined
        : `Failed to delete all resource types, ${contentFailures.length} remaining: ` +
          contentFailures.toSorted().join(', '),
  },
  {
    type: 'NamespaceContentRemaining',
    success: { reason: 'ContentRemoved', message: 'All content successfully removed' },
    failureReason: 'SomeResourcesRemain',
    failure: ({ remaining }) =>
      remaining.length === 0 ? undefined : `Some resources are remaining: ${contentText(remaining)}`,
  },
  {
    type: 'NamespaceFinalizersRemaining',
    success: { reason: 'ContentHasNoFinalizers', message: 'All content-preserving finalizers finished' },
    failureReason: 'SomeFinalizersRemain',
    failure: ({ remaining }) => {
      const text = finalizersText(remaining)
      return text === '' ? undefined : `Some content in the namespace has finalizers remaining: ${text}`
    },
  },
]

/** The same list when nothing changed. A condition keeps its time until its status changes, and its place in the list. */
export function deletionConditions(
  previous: readonly NamespaceCondition[],
  findings: DeletionFindings,
  nowMs: number,
): readonly NamespaceCondition[] {
  const wanted = new Map(RULES.map((rule) => [rule.type, conditionOf(rule, findings, nowMs)]))
  const updated = previous.map((condition) => {
    const next = wanted.get(condition.type)
    wanted.delete(condition.type)
    return next ? changed(condition, next) : condition
  })
  const same = wanted.size === 0 && updated.every((condition, index) => condition === previous[index])
  return same ? previous : [...updated, ...wanted.values()]
}

function conditionOf(rule: Rule, findings: DeletionFindings, nowMs: number): NamespaceCondition {
  const message = rule.failure(findings)
  const { type, success, failureReason: reason } = rule
  const lastTransitionTime = formatTime(nowMs)
  return message === undefined
    ? { type, status: 'False', lastTransitionTime, ...success }
    : { type, status: 'True', lastTransitionTime, reason, message }
}

function changed(previous: NamespaceCondition, next: NamespaceCondition): NamespaceCondition {
  if (previous.status !== next.status) return next
  if (previous.reason === next.reason && previous.message === next.message) return previous
  return { ...next, lastTransitionTime: previous.lastTransitionTime }
}

function contentText(remaining: readonly Remaining[]): string {
  return remaining
    .map(({ group, resource, finalizers }) => `${resource}.${group} has ${finalizers.length} resource instances`)
    .toSorted()
    .join(', ')
}

function finalizersText(remaining: readonly Remaining[]): string {
  const all = remaining.flatMap(({ finalizers }) => finalizers.flat())
  return [...groupBy(all, (finalizer) => finalizer)]
    .map(([finalizer, { length }]) => `${finalizer} in ${length} resource instances`)
    .toSorted()
    .join(', ')
}
