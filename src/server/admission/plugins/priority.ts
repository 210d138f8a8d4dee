/** Gives pods the number of their priority class, or that of the default class; checks priority classes. */

import type { Pod } from '../../../apis/core/types.gen.ts'
import type { PriorityClass } from '../../../apis/scheduling/types.gen.ts'
import { forbiddenRequest } from '../../../machinery/meta/api-error.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import type { AdmissionPlugin, AdmissionView } from '../plugin.ts'
import { isPod } from '../pods.ts'

/** The classes that exist in every cluster, so that its own pods start before anything is stored. */
const SYSTEM_CLASSES: ReadonlyMap<string, number> = new Map([
  ['system-cluster-critical', 2_000_000_000],
  ['system-node-critical', 2_000_001_000],
])

interface Chosen {
  readonly name: string
  readonly value: number
  readonly preemptionPolicy: 'Never' | 'PreemptLowerPriority'
}

export function priority({ view }: { readonly view: AdmissionView }): AdmissionPlugin {
  return {
    name: 'Priority',
    operations: ['CREATE', 'UPDATE'],
    about: ['/pods', 'scheduling.k8s.io/priorityclasses'],
    mutate: async (attributes, object) => {
      if (!isPod(attributes, object)) return object
      return attributes.operation === 'UPDATE' ? kept(object, attributes) : admitted(view, attributes, object)
    },
    validate: (attributes) => checkClass(view, attributes),
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

async function admitted(view: AdmissionView, attributes: AdmissionAttributes, pod: Pod): Promise<Pod> {
  const { spec } = pod
  if (!spec) return pod
  const refuse = (detail: string) => forbiddenRequest(attributes.definition, pod.metadata.name ?? '', detail)
  const name = spec.priorityClassName ?? ''
  const chosen = name === '' ? await defaultClass(view) : await namedClass(view, name)
  if (!chosen) throw refuse(`no PriorityClass with name ${name} was found`)
  const { value, preemptionPolicy } = chosen
  if (spec.priority !== undefined && spec.priority !== value)
    throw refuse(
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; ` +
        `priority admission controller computed ${value} from the given PriorityClass name`,
    )
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy)
    throw refuse(
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; ` +
        `priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
    )
  const className = chosen.name === '' ? {} : { priorityClassName: chosen.name }
  return { ...pod, spec: { ...spec, ...className, priority: value, preemptionPolicy } }
}

async function namedClass(view: AdmissionView, name: string): Promise<Chosen | undefined> {
  const value = SYSTEM_CLASSES.get(name)
  if (value !== undefined) return { name, value, preemptionPolicy: 'PreemptLowerPriority' }
  const found = await view.get<PriorityClass>('priorityclasses', { name })
  return found && chosenOf(found)
}

/** Of several global defaults the lowest counts, as upstream. */
async function defaultClass(view: AdmissionView): Promise<Chosen> {
  const defaults = (await view.list<PriorityClass>('priorityclasses')).filter(({ globalDefault }) => globalDefault)
  const [lowest] = defaults.toSorted((left, right) => (left.value ?? 0) - (right.value ?? 0))
  return lowest ? chosenOf(lowest) : { name: '', value: 0, preemptionPolicy: 'PreemptLowerPriority' }
}

function chosenOf({ metadata, value = 0, preemptionPolicy = 'PreemptLowerPriority' }: PriorityClass): Chosen {
  return { name: metadata.name ?? '', value, preemptionPolicy }
}

/** There is at most one global default. */
async function checkClass(view: AdmissionView, { definition, object }: AdmissionAttributes): Promise<void> {
  if (definition.group !== 'scheduling.k8s.io' || definition.resource !== 'priorityclasses' || !object) return
  const name = object.metadata.name ?? ''
  if (Reflect.get(object, 'globalDefault') !== true) return
  const others = await view.list<PriorityClass>('priorityclasses')
  const other = others.find(({ metadata, globalDefault }) => globalDefault && metadata.name !== name)
  if (!other) return
  const detail = `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`
  throw forbiddenRequest(definition, name, detail)
}
