/** What a limit range gives to containers that say nothing, and the annotation that tells of it. */

import type { Container, LimitRange, Pod, PodSpec } from '../../../../apis/core/types.gen.ts'
import { byCodeUnit } from '../../../../base/group-by.ts'
import { rememberedBySpec, sharedSpec } from '../known-specs.ts'

const ANNOTATION = 'kubernetes.io/limit-ranger'

type Amounts = Readonly<Record<string, string>>

interface Defaults {
  readonly requests: Amounts
  readonly limits: Amounts
}

interface Changed {
  readonly container: Container
  /** `cpu request for container web`. */
  readonly notes: readonly string[]
}

/** A spec with the defaults of limit ranges, and what the last of them to set something has set. */
interface Defaulted {
  readonly spec: PodSpec
  readonly note: string | undefined
}

/** Pods with the defaults of the ranges, one after the other. The same pod where every container says everything itself. */
export function containerDefaults(): (pod: Pod, ranges: readonly LimitRange[]) => Pod {
  const inForm = (made: Defaulted, spec: PodSpec): Defaulted => ({ ...made, spec: sharedSpec(made.spec, spec) })
  const remembered = rememberedBySpec<readonly LimitRange[], Defaulted>(inForm)
  return (pod, ranges) => {
    const { spec } = pod
    if (!spec || ranges.length === 0) return pod
    const start: Defaulted = { spec, note: undefined }
    const { note, spec: complete } = remembered(spec, ranges, () => ranges.reduce(withDefaultsOf, start))
    if (note === undefined) return pod
    const annotations = { ...pod.metadata.annotations, [ANNOTATION]: note }
    return { ...pod, metadata: { ...pod.metadata, annotations }, spec: complete }
  }
}

function withDefaultsOf(before: Defaulted, range: LimitRange): Defaulted {
  const { spec } = before
  const defaults = defaultsOf(range)
  const containers = (spec.containers ?? []).map((container) => defaulted(container, defaults, 'container'))
  const init = (spec.initContainers ?? []).map((container) => defaulted(container, defaults, 'init container'))
  const notes = [...containers, ...init].flatMap((changed) => changed.notes)
  if (notes.length === 0) return before
  const initContainers = init.length === 0 ? {} : { initContainers: init.map(({ container }) => container) }
  return {
    spec: { ...spec, containers: containers.map(({ container }) => container), ...initContainers },
    note: `LimitRanger plugin set: ${notes.join('; ')}`,
  }
}

/** Of several items for containers the last one that names a resource counts. */
function defaultsOf({ spec }: LimitRange): Defaults {
  const items = (spec?.limits ?? []).filter(({ type }) => type === 'Container')
  return {
    requests: Object.assign({}, ...items.map(({ defaultRequest }) => defaultRequest ?? {})),
    limits: Object.assign({}, ...items.map((item) => item.default ?? {})),
  }
}

function defaulted(container: Container, defaults: Defaults, what: string): Changed {
  const { requests = {}, limits = {} } = container.resources ?? {}
  const newRequests = missing(requests, defaults.requests)
  const newLimits = missing(limits, defaults.limits)
  const note = (names: readonly string[], kind: string): readonly string[] =>
    names.length === 0 ? [] : [`${names.toSorted(byCodeUnit).join(', ')} ${kind} for ${what} ${container.name}`]
  const notes = [...note(Object.keys(newRequests), 'request'), ...note(Object.keys(newLimits), 'limit')]
  if (notes.length === 0) return { container, notes }
  const resources = {
    ...container.resources,
    requests: { ...requests, ...newRequests },
    limits: { ...limits, ...newLimits },
  }
  return { container: { ...container, resources }, notes }
}

function missing(present: Amounts, wanted: Amounts): Amounts {
  return Object.fromEntries(Object.entries(wanted).filter(([name]) => !Object.hasOwn(present, name)))
}
