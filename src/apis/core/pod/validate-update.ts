/**
 * What may change in a pod that exists. Almost nothing: images, a deadline that comes nearer, tolerations that
 * are added, gates that are removed; and through their own endpoints ephemeral containers and resources.
 */

import { deepEqual } from '../../../base/deep-equal.ts'
import { type FieldError, FieldPath, forbidden, invalidValue, required } from '../../../machinery/meta/field-error.ts'
import type { Container, NodeSelectorTerm, Pod, PodSpec, Toleration } from '../types.gen.ts'
import { changesText } from './changes-text.ts'
import { templateSpec } from './pod-status.ts'
import { computeQosClass } from './qos-class.ts'
import { validatePodSpec } from './validate-spec.ts'

const specPath = new FieldPath('spec')
const INT32_MAX = 2 ** 31 - 1

/** What the refusal lists as open to change. */
const CHANGEABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')

export function validatePodUpdate(pod: Pod, previous: Pod): FieldError[] {
  const spec = templateSpec(pod)
  const before = templateSpec(previous)
  // What was there is compared with itself: patches share what they do not change.
  if (spec === before)
    return [...validateImages(spec), ...validateDeadline(spec.activeDeadlineSeconds, before.activeDeadlineSeconds)]
  for (const list of ['containers', 'initContainers'] as const) {
    if ((spec[list] ?? []).length !== (before[list] ?? []).length) {
      return [forbidden(specPath.child(list), 'pod updates may not add or remove containers')]
    }
  }
  const errors = [
    ...validateImages(spec),
    ...validateDeadline(spec.activeDeadlineSeconds, before.activeDeadlineSeconds),
    ...validateTolerationChanges(spec.tolerations ?? [], before.tolerations ?? []),
    ...validateGateChanges(spec, before),
  ]
  const gated = (before.schedulingGates ?? []).length > 0
  if (gated) errors.push(...validateGatedChanges(spec, before))
  if (errors.length > 0) return errors
  const masked = withChangeable(spec, before, gated)
  if (deepEqual(masked, before)) return []
  const detail = `pod updates may not change fields other than ${CHANGEABLE}\n${changesText(before, masked)}`
  return [forbidden(specPath, detail)]
}

/** The new spec with everything that may differ set back, so that what still differs is what may not. */
function withChangeable(spec: PodSpec, before: PodSpec, gated: boolean): PodSpec {
  const images = (containers: readonly Container[] | undefined, old: readonly Container[] | undefined) =>
    containers?.map((container, index) => ({ ...container, image: old?.[index]?.image }))
  const { terminationGracePeriodSeconds: grace } = before
  const shortened = grace !== undefined && grace < 0 && spec.terminationGracePeriodSeconds === 1
  return {
    ...spec,
    containers: images(spec.containers, before.containers) ?? [],
    initContainers: images(spec.initContainers, before.initContainers),
    activeDeadlineSeconds: before.activeDeadlineSeconds,
    tolerations: before.tolerations,
    schedulingGates: before.schedulingGates,
    terminationGracePeriodSeconds: shortened ? grace : spec.terminationGracePeriodSeconds,
    ...(gated ? { nodeSelector: before.nodeSelector, affinity: withNodeAffinity(spec, before) } : {}),
  }
}

function withNodeAffinity(spec: PodSpec, before: PodSpec): PodSpec['affinity'] {
  const others = { ...spec.affinity, nodeAffinity: before.affinity?.nodeAffinity }
  const empty = Object.values(others).every((value) => value === undefined)
  return empty && !before.affinity ? undefined : others
}

/** Upstream looks at the images of an update once more. */
function validateImages(spec: PodSpec): FieldError[] {
  return (['containers', 'initContainers'] as const).flatMap((list) =>
    (spec[list] ?? []).flatMap(({ image }, index) =>
      image ? [] : [required(specPath.child(list).index(index).child('image'))],
    ),
  )
}

function validateDeadline(deadline: number | undefined, before: number | undefined): FieldError[] {
  const at = specPath.child('activeDeadlineSeconds')
  if (deadline === undefined) {
    return before === undefined ? [] : [invalidValue(at, null, 'must not update from a positive integer to nil value')]
  }
  if (deadline < 0 || deadline > INT32_MAX) {
    return [invalidValue(at, deadline, `must be between 0 and ${INT32_MAX}, inclusive`)]
  }
  const later = before !== undefined && deadline > before
  return later ? [invalidValue(at, deadline, 'must be less than or equal to previous value')] : []
}

function validateTolerationChanges(tolerations: readonly Toleration[], before: readonly Toleration[]): FieldError[] {
  const identity = ({ tolerationSeconds: _, ...rest }: Toleration) => rest
  const kept = before.every((old) => tolerations.some((toleration) => deepEqual(identity(toleration), identity(old))))
  const detail = 'existing toleration can not be modified except its tolerationSeconds'
  return kept ? [] : [forbidden(specPath.child('tolerations'), detail)]
}

function validateGateChanges(spec: PodSpec, before: PodSpec): FieldError[] {
  const old = new Set((before.schedulingGates ?? []).map(({ name }) => name))
  return (spec.schedulingGates ?? [])
    .map(({ name }, index) => ({ name, at: specPath.child('schedulingGates').index(index) }))
    .filter(({ name }) => !old.has(name))
    .map(({ name, at }) =>
      forbidden(at.child('name'), `only deletion is allowed, but found new scheduling gate '${name}'`),
    )
}

/** A gated pod's choice of nodes may become narrower, never wider. */
function validateGatedChanges(spec: PodSpec, before: PodSpec): FieldError[] {
  const kept = Object.entries(before.nodeSelector ?? {}).every(([key, value]) => spec.nodeSelector?.[key] === value)
  const errors = kept
    ? []
    : [
        invalidValue(
          specPath.child('nodeSelector'),
          spec.nodeSelector,
          'only additions to spec.nodeSelector are allowed (no mutations or deletions)',
        ),
      ]
  const path = specPath.child('affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution')
  const old = requiredTerms(before)
  if (old === undefined) return errors
  const terms = requiredTerms(spec)
  if (terms?.length !== old.length) {
    const detail = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'
    return [...errors, invalidValue(path.child('nodeSelectorTerms'), terms, detail)]
  }
  for (const [index, term] of terms.entries()) {
    if (narrows(term, old[index] ?? {})) continue
    const detail = 'only additions are allowed (no mutations or deletions)'
    errors.push(invalidValue(path.child('nodeSelectorTerms').index(index), term, detail))
  }
  return errors
}

function requiredTerms(spec: PodSpec): readonly NodeSelectorTerm[] | undefined {
  return spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
}

function narrows(term: NodeSelectorTerm, before: NodeSelectorTerm): boolean {
  return (['matchExpressions', 'matchFields'] as const).every((list) => {
    const old = before[list] ?? []
    return deepEqual((term[list] ?? []).slice(0, old.length), old)
  })
}

/** The ephemeralcontainers endpoint: containers may be added, those that exist stay as they are. */
export function validateEphemeralContainersUpdate(pod: Pod, previous: Pod): FieldError[] {
  const path = specPath.child('ephemeralContainers')
  const containers = pod.spec?.ephemeralContainers ?? []
  const changes = (previous.spec?.ephemeralContainers ?? []).flatMap((old) => {
    const container = containers.find(({ name }) => name === old.name)
    const name = JSON.stringify(old.name)
    if (!container) return [forbidden(path, `existing ephemeral containers ${name} may not be removed\n`)]
    if (deepEqual(container, old)) return []
    return [forbidden(path, `existing ephemeral containers ${name} may not be changed\n${changesText(old, container)}`)]
  })
  return [...validatePodSpec(templateSpec(pod), specPath), ...changes]
}

/** The resize endpoint: CPU and memory of containers, without a change of the quality of service class. */
export function validatePodResize(pod: Pod, previous: Pod): FieldError[] {
  const spec = templateSpec(pod)
  const before = templateSpec(previous)
  if (previous.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
    return [forbidden(new FieldPath(''), 'static pods cannot be resized')]
  }
  if (before.os?.name === 'windows') return [forbidden(new FieldPath(''), 'windows pods cannot be resized')]
  const errors = [...validatePodSpec(spec, specPath)]
  if (computeQosClass(spec) !== computeQosClass(before)) {
    const detail = 'Pod QOS Class may not change as a result of resizing'
    errors.push(invalidValue(specPath, computeQosClass(spec), detail))
  }
  const masked = withResources(spec, before)
  if (deepEqual(masked, before)) return errors
  return [...errors, forbidden(specPath, `only cpu and memory resources are mutable\n${changesText(before, masked)}`)]
}

function withResources(spec: PodSpec, before: PodSpec): PodSpec {
  const restored = (containers: readonly Container[] | undefined, old: readonly Container[] | undefined) =>
    containers?.map((container, index) => ({
      ...container,
      resources: {
        ...container.resources,
        limits: withComputeOf(container.resources?.limits, old?.[index]?.resources?.limits),
        requests: withComputeOf(container.resources?.requests, old?.[index]?.resources?.requests),
      },
    }))
  return {
    ...spec,
    containers: restored(spec.containers, before.containers) ?? [],
    initContainers: restored(spec.initContainers, before.initContainers),
    resources: before.resources,
  }
}

/** The list with CPU and memory as they were. */
function withComputeOf(list: Readonly<Record<string, string>> = {}, before: Readonly<Record<string, string>> = {}) {
  const compute = (name: string) => name === 'cpu' || name === 'memory'
  const rest = Object.entries(list).filter(([name]) => !compute(name))
  const merged = [...rest, ...Object.entries(before).filter(([name]) => compute(name))]
  return merged.length === 0 ? undefined : Object.fromEntries(merged)
}
