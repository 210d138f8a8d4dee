/**
 * RuntimeClass: a pod that names a class of runtime gets what running in it costs on top, and goes where the class is
 * to be had. Nobody claims such a cost who names no class.
 */

import { quantitiesOf } from '../../../apis/core/pod/pod-resources.ts'
import { sameAmounts } from '../../../apis/core/quota/amounts.ts'
import type { Pod, PodSpec, Toleration } from '../../../apis/core/types.gen.ts'
import { runtimeClasses } from '../../../apis/nodes/runtime-class.ts'
import type { RuntimeClass } from '../../../apis/nodes/types.gen.ts'
import { type Awaitable, whenThere } from '../../../base/awaitable.ts'
import { deepEqual } from '../../../base/deep-equal.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import type { AdmissionPlugin, AdmissionView } from '../plugin.ts'
import { isPod } from '../pods.ts'
import { refused } from '../refusal.ts'
import { rememberedSpecs } from './known-specs.ts'

export function runtimeClass({ view }: { readonly view: AdmissionView }): AdmissionPlugin {
  const remembered = rememberedSpecs<RuntimeClass>()
  return {
    name: 'RuntimeClass',
    operations: ['CREATE'],
    about: ['/pods'],
    mutate(attributes, object) {
      if (!isPod(attributes, object)) return object
      return whenThere(classOf(view, attributes, object), (chosen): Pod => {
        const { spec } = object
        if (!chosen || !spec) return object
        return { ...object, spec: remembered(spec, chosen, () => inClass(attributes, spec, chosen)) }
      })
    },
    validate(attributes) {
      const { object } = attributes
      if (!object || !isPod(attributes, object)) return undefined
      return whenThere(classOf(view, attributes, object), (chosen) => {
        const overhead = object.spec?.overhead
        if (!chosen?.overhead && overhead) throw refused(attributes, UNDEFINED)
        if (chosen?.overhead && !sameOverhead(chosen, overhead)) throw refused(attributes, MISMATCH)
      })
    },
  }
}

const UNDEFINED = 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead'
const MISMATCH = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"

function classOf(
  view: AdmissionView,
  attributes: AdmissionAttributes,
  { spec }: Pod,
): Awaitable<RuntimeClass | undefined> {
  const name = spec?.runtimeClassName
  if (typeof name !== 'string') return undefined
  return whenThere(view.get(runtimeClasses, { name }), (found) => {
    if (!found) throw refused(attributes, `pod rejected: RuntimeClass "${name}" not found`)
    return found
  })
}

function inClass(attributes: AdmissionAttributes, spec: PodSpec, chosen: RuntimeClass): PodSpec {
  const { overhead = {} } = spec
  if (chosen.overhead && Object.keys(overhead).length > 0 && !sameOverhead(chosen, overhead))
    throw refused(attributes, MISMATCH)
  const costing = chosen.overhead ? { ...spec, overhead: chosen.overhead.podFixed } : spec
  return chosen.scheduling ? placed(attributes, costing, chosen.scheduling) : costing
}

function sameOverhead({ overhead }: RuntimeClass, own: PodSpec['overhead']): boolean {
  return sameAmounts(quantitiesOf(overhead?.podFixed), quantitiesOf(own))
}

function placed(
  attributes: AdmissionAttributes,
  spec: PodSpec,
  { nodeSelector = {}, tolerations = [] }: NonNullable<RuntimeClass['scheduling']>,
): PodSpec {
  const own = spec.nodeSelector ?? {}
  for (const [key, value] of Object.entries(nodeSelector)) {
    if (!Object.hasOwn(own, key) || own[key] === value) continue
    const ofClass = `runtimeClass.scheduling.nodeSelector[${key}] = ${value}`
    throw refused(attributes, `conflict: ${ofClass}; pod.spec.nodeSelector[${key}] = ${own[key]}`)
  }
  const merged = mergedTolerations([...(spec.tolerations ?? []), ...tolerations])
  return {
    ...spec,
    ...(Object.keys(nodeSelector).length > 0 ? { nodeSelector: { ...own, ...nodeSelector } } : {}),
    ...(merged.length > 0 ? { tolerations: merged } : {}),
  }
}

/** Without those that another one covers; of equal ones the first stays. */
function mergedTolerations(all: readonly Toleration[]): readonly Toleration[] {
  const merged: Toleration[] = []
  for (const [index, one] of all.entries()) {
    const later = all.slice(index + 1).some((other) => !deepEqual(one, other) && covers(other, one))
    if (!later && !merged.some((other) => covers(other, one))) merged.push(one)
  }
  return merged
}

function covers(wide: Toleration, narrow: Toleration): boolean {
  if (deepEqual(wide, narrow)) return true
  const everyKey = !wide.key && wide.operator === 'Exists'
  if (wide.key !== narrow.key && !everyKey) return false
  if (wide.effect && wide.effect !== narrow.effect) return false
  if (wide.effect === 'NoExecute' && wide.tolerationSeconds !== undefined) {
    const seconds = narrow.tolerationSeconds
    if (seconds === undefined || seconds > wide.tolerationSeconds) return false
  }
  if (wide.operator === 'Exists') return true
  return (!wide.operator || wide.operator === 'Equal') && narrow.operator === 'Equal' && wide.value === narrow.value
}
