/** What of a job may change: little once it runs; a job that is suspended may still be fitted to where it will run. */

import { deepEqual } from '../../base/deep-equal.ts'
import { isConditionTrue } from '../../machinery/meta/conditions.ts'
import { type FieldError, FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import type { Affinity, Container, PodSpec, PodTemplateSpec } from '../core/types.gen.ts'
import { immutable } from '../strategy-parts.ts'
import { isIndexed } from './job-rules.ts'
import type { Job, JobSpec } from './types.gen.ts'

const FIXED = ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const

const specPath = new FieldPath('spec')

export function jobUpdateErrors({ spec }: Job, previous: Job): readonly FieldError[] {
  return [
    ...completionsErrors(spec, previous.spec),
    ...immutable(specPath.child('selector'), spec.selector, previous.spec.selector),
    ...templateErrors(spec.template ?? {}, previous),
    ...FIXED.flatMap((field) => immutable(specPath.child(field), spec[field], previous.spec[field])),
  ]
}

/** An indexed job may grow and shrink, with its parallelism. */
function completionsErrors(spec: JobSpec, previous: JobSpec): readonly FieldError[] {
  const { completions, parallelism } = spec
  const path = specPath.child('completions')
  if (!isIndexed(spec)) return immutable(path, completions, previous.completions)
  if (completions === undefined || completions === previous.completions || completions === parallelism) return []
  return [invalidValue(path, completions, 'can only be modified in tandem with spec.parallelism')]
}

function templateErrors(template: PodTemplateSpec, previous: Job): readonly FieldError[] {
  const path = specPath.child('template')
  const before = previous.spec.template ?? {}
  if (!isMutable(previous)) return immutable(path, template, before)
  const [spec, old] = [template.spec ?? { containers: [] }, before.spec ?? { containers: [] }]
  return immutable(path.child('spec'), spec, withMutableParts(old, spec))
}

/** Suspended without a trace of having run, or with all its pods gone. */
function isMutable({ spec, status }: Job): boolean {
  const isIdle = !status?.startTime || isConditionTrue(status.conditions, 'Suspended')
  return spec.suspend === true && isIdle && (status?.active ?? 0) === 0
}

/** The old spec with the new one's scheduling directives and resources: what then differs is not mutable. */
function withMutableParts(old: PodSpec, next: PodSpec): PodSpec {
  return {
    ...old,
    nodeSelector: next.nodeSelector,
    tolerations: next.tolerations,
    schedulingGates: next.schedulingGates,
    affinity: withNodeAffinity(old.affinity, next.affinity),
    containers: withResources(old.containers, next.containers) ?? [],
    initContainers: withResources(old.initContainers, next.initContainers),
  }
}

function withNodeAffinity(old: Affinity | undefined, next: Affinity | undefined): Affinity | undefined {
  const { nodeAffinity: _, ...others } = old ?? {}
  if (next) return next.nodeAffinity ? { ...others, nodeAffinity: next.nodeAffinity } : others
  return Object.keys(others).length === 0 ? undefined : others
}

function withResources(
  old: readonly Container[] | undefined,
  next: readonly Container[] | undefined,
): readonly Container[] | undefined {
  if (!old || !next || old.length !== next.length) return old
  return old.map((container, index) => {
    const { name, resources } = next[index] ?? {}
    return container.name === name && !deepEqual(container.resources, resources)
      ? { ...container, resources }
      : container
  })
}
