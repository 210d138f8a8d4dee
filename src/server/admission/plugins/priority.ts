/** Gives pods the number of their priority class, or that of the default class; checks priority classes. */

import type { Pod, PodSpec } from '../../../apis/core/types.gen.ts'
import { priorityClasses, SYSTEM_PRIORITIES } from '../../../apis/scheduling/priority-class.ts'
import type { PriorityClass } from '../../../apis/scheduling/types.gen.ts'
import { type Awaitable, whenThere } from '../../../base/awaitable.ts'
import { oncePer } from '../../../base/lru.ts'
import { forbiddenRequest } from '../../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import type { AdmissionPlugin, AdmissionView } from '../plugin.ts'
import { isPod } from '../pods.ts'
import { rememberedSpecs } from './known-specs.ts'

interface Chosen {
  readonly name: string
  readonly value: number
  readonly preemptionPolicy: 'Never' | 'PreemptLowerPriority'
}

/** The classes that exist in every cluster, so that its own pods start before anything is stored. */
const SYSTEM_CLASSES: ReadonlyMap<string, Chosen> = new Map(
  Array.from(SYSTEM_PRIORITIES, ([name, value]) => [name, { name, value, preemptionPolicy: 'PreemptLowerPriority' }]),
)

/** Of a pod that names no class where none is the default. */
const NO_CLASS: Chosen = { name: '', value: 0, preemptionPolicy: 'PreemptLowerPriority' }

export function priority({ view }: { readonly view: AdmissionView }): AdmissionPlugin {
  const remembered = rememberedSpecs<Chosen>()
  return {
    name: 'Priority',
    operations: ['CREATE', 'UPDATE'],
    about: ['/pods', 'scheduling.k8s.io/priorityclasses'],
    mutate(attributes, object) {
      if (!isPod(attributes, object)) return object
      if (attributes.operation === 'UPDATE') return kept(object, attributes)
      const { spec } = object
      if (!spec) return object
      return whenThere(classOf(view, spec), (chosen): Pod => {
        const found = checkedClass(attributes, object, spec, chosen)
        return { ...object, spec: remembered(spec, found, () => withPriority(spec, found)) }
      })
    },
    validate(attributes) {
      const { definition, object } = attributes
      const isClass = definition.group === priorityClasses.group && definition.resource === priorityClasses.resource
      return isClass && object ? checkDefault(view, attributes, object) : undefined
    },
  }
}

/** An update that leaves the priority or the policy out does not change it. */
function kept(pod: Pod, { previous }: AdmissionAttributes): Pod {
  const { priority: value, preemptionPolicy } =
    (previous && 'spec' in previous ? (previous as Pod).spec : undefined) ?? {}
  const { spec } = pod
  if (!spec) return pod
  const before = {
    ...(spec.priority === undefined && value !== undefined && { priority: value }),
    ...(spec.preemptionPolicy === undefined && preemptionPolicy !== undefined && { preemptionPolicy }),
  }
  return Object.keys(before).length === 0 ? pod : { ...pod, spec: { ...spec, ...before } }
}

/** Undefined: there is no class of the name that the pod gives. */
function classOf(view: AdmissionView, { priorityClassName: name }: PodSpec): Awaitable<Chosen | undefined> {
  if (!name) return whenThere(view.list(priorityClasses), defaultClass)
  const system = SYSTEM_CLASSES.get(name)
  if (system !== undefined) return system
  return whenThere(view.get(priorityClasses, { name }), (found) => found && chosenOf(found))
}

/** The class, unless the pod says something else than it. */
function checkedClass(
  { definition }: AdmissionAttributes,
  pod: Pod,
  { priorityClassName = '', priority: value, preemptionPolicy: policy }: PodSpec,
  chosen: Chosen | undefined,
): Chosen {
  const name = pod.metadata.name ?? ''
  if (!chosen) throw forbiddenRequest(definition, name, `no PriorityClass with name ${priorityClassName} was found`)
  if (value !== undefined && value !== chosen.value) {
    const detail =
      `the integer value of priority (${value}) must not be provided in pod spec; ` +
      `priority admission controller computed ${chosen.value} from the given PriorityClass name`
    throw forbiddenRequest(definition, name, detail)
  }
  if (policy !== undefined && policy !== chosen.preemptionPolicy) {
    const detail =
      `the string value of PreemptionPolicy (${policy}) must not be provided in pod spec; ` +
      `priority admission controller computed ${chosen.preemptionPolicy} from the given PriorityClass name`
    throw forbiddenRequest(definition, name, detail)
  }
  return chosen
}

function withPriority(spec: PodSpec, { name, value, preemptionPolicy }: Chosen): PodSpec {
  const named = name === '' ? {} : { priorityClassName: name }
  return { ...spec, ...named, priority: value, preemptionPolicy }
}

/** Of several global defaults the lowest counts, as upstream. */
const defaultClass = oncePer((classes: readonly PriorityClass[]): Chosen => {
  const defaults = classes.filter(({ globalDefault }) => globalDefault)
  const [lowest] = defaults.toSorted((left, right) => (left.value ?? 0) - (right.value ?? 0))
  return lowest ? chosenOf(lowest) : NO_CLASS
})

const chosenOf = oncePer(
  ({ metadata, value = 0, preemptionPolicy = 'PreemptLowerPriority' }: PriorityClass): Chosen => ({
    name: metadata.name ?? '',
    value,
    preemptionPolicy,
  }),
)

/** There is at most one global default. */
async function checkDefault(
  view: AdmissionView,
  { definition }: AdmissionAttributes,
  object: KubeObject,
): Promise<void> {
  const name = object.metadata.name ?? ''
  if (Reflect.get(object, 'globalDefault') !== true) return
  const others = await view.list(priorityClasses)
  const other = others.find(({ metadata, globalDefault }) => globalDefault && metadata.name !== name)
  if (!other) return
  const detail = `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`
  throw forbiddenRequest(definition, name, detail)
}
