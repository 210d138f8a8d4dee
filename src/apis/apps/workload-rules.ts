/** What all workloads have in common: a selector that picks their own template's pods, and counts in their status. */

import {
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import {
  type LabelSelector,
  labelSelectorText,
  selectorFromLabelSelector,
  validateLabelSelector,
} from '../../machinery/meta/labels.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { withoutDisabledFields } from '../core/pod/disabled-fields.ts'
import { validatePodTemplateSpec } from '../core/pod/validate-spec.ts'
import type { PodTemplateSpec } from '../core/types.gen.ts'
import type { ScaleAccess } from '../definition.ts'
import { mapField } from '../field-defaults.ts'
import { nonNegative } from '../field-rules.ts'

interface Templated {
  readonly spec?: { readonly template?: PodTemplateSpec | undefined } | undefined
}

/** For `prepareForCreate` and `prepareForUpdate`: without what belongs to features that are off. */
export function withEnabledTemplate<T extends Templated>(object: T): T {
  return mapField(object, 'spec', (spec) => mapField(spec, 'template', withoutDisabledFields))
}

interface Scalable extends KubeObject {
  readonly spec: { readonly replicas?: number | undefined; readonly selector?: LabelSelector | undefined }
  readonly status?: { readonly replicas?: number | undefined } | undefined
}

/** The scale of whatever has a number of replicas and a label selector. */
export function replicaScale<T extends Scalable>(): ScaleAccess<T> {
  return {
    replicas: ({ spec }) => spec.replicas ?? 0,
    statusReplicas: ({ status }) => status?.replicas ?? 0,
    selector: ({ spec }) => labelSelectorText(spec.selector),
    withReplicas: (object, replicas) => ({ ...object, spec: { ...object.spec, replicas } }),
  }
}

/** The words for counts of a status that are parts of another. */
export const NOT_ABOVE_REPLICAS = 'cannot be greater than status.replicas'

export function selectorIsEmpty({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length + matchExpressions.length === 0
}

/** A selector is demanded, well-formed and picks something. `emptyDetail` is the kind's own wording. */
export function requiredSelectorErrors(
  selector: LabelSelector | undefined,
  path: FieldPath,
  emptyDetail: string,
  unreadableDetail = 'invalid label selector',
): readonly FieldError[] {
  if (!selector) return [required(path)]
  if (selectorIsEmpty(selector)) return [invalidValue(path, selector, emptyDetail)]
  const errors = validateLabelSelector(selector, path)
  return errors.length === 0 ? [] : [...errors, invalidValue(path, selector, unreadableDetail)]
}

/** Whether nothing can be said of what it selects: then nothing is said of the template either. */
export function selectorIsUnreadable(selector: LabelSelector | undefined, path: FieldPath): boolean {
  return selector !== undefined && validateLabelSelector(selector, path).length > 0
}

/** The template of a workload whose pods run for ever; `kind` stands in the message. */
export function templateErrors(
  template: PodTemplateSpec | undefined,
  selector: LabelSelector | undefined,
  path: FieldPath,
  kind: string,
): readonly FieldError[] {
  if (!template) return [required(path)]
  if (selectorIsUnreadable(selector, path)) return []
  return [...selectorMatchErrors(template, selector, path), ...lastingTemplateErrors(template, path, kind)]
}

/** A template of pods that run for ever, whatever selects them. */
export function lastingTemplateErrors(template: PodTemplateSpec, path: FieldPath, kind: string): readonly FieldError[] {
  return [...validatePodTemplateSpec(template, path), ...runsForeverErrors(template, path, kind)]
}

/** An absent selector matches nothing, an empty one everything; an unreadable one has been reported before. */
export function selectorMatchErrors(
  template: PodTemplateSpec,
  selector: LabelSelector | undefined,
  path: FieldPath,
): readonly FieldError[] {
  const { labels } = template.metadata ?? {}
  if (selector) {
    if (selectorIsEmpty(selector) || validateLabelSelector(selector, path).length > 0) return []
    if (selectorFromLabelSelector(selector).matches(labels)) return []
  }
  return [invalidValue(path.child('metadata', 'labels'), labels ?? null, '`selector` does not match template `labels`')]
}

export function runsForeverErrors({ spec }: PodTemplateSpec, path: FieldPath, kind: string): readonly FieldError[] {
  const { restartPolicy = '', activeDeadlineSeconds } = spec ?? {}
  const errors: FieldError[] = []
  if (restartPolicy !== 'Always')
    errors.push(notSupported(path.child('spec', 'restartPolicy'), restartPolicy, ['Always']))
  if (activeDeadlineSeconds !== undefined) {
    const detail = `activeDeadlineSeconds in ${kind} is not Supported`
    errors.push(forbidden(path.child('spec', 'activeDeadlineSeconds'), detail))
  }
  return errors
}

/** Counts of a status: none is negative. */
export function countErrors<T extends object>(
  status: T | undefined,
  path: FieldPath,
  fields: readonly (keyof T & string)[],
): readonly FieldError[] {
  return fields.flatMap((field) => nonNegative(path.child(field), numberOf(status, field)))
}

/** Counts that may not pass another count of the same status. */
export function notGreaterErrors<T extends object>(
  status: T | undefined,
  path: FieldPath,
  limits: readonly (readonly [field: keyof T & string, limit: keyof T & string, detail: string])[],
): readonly FieldError[] {
  return limits.flatMap(([field, limit, detail]) => {
    const value = numberOf(status, field)
    return value > numberOf(status, limit) ? [invalidValue(path.child(field), value, detail)] : []
  })
}

/** The number of hash collisions only grows. */
export function collisionCountErrors(
  path: FieldPath,
  count: number | undefined,
  previous: number | undefined,
): readonly FieldError[] {
  if (previous === undefined || (count ?? -1) >= previous) return []
  return [invalidValue(path.child('collisionCount'), count ?? 0, 'cannot be decremented')]
}

function numberOf<T extends object>(status: T | undefined, field: keyof T): number {
  const value = status?.[field]
  return typeof value === 'number' ? value : 0
}
