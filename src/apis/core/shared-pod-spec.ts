/** Specs of pods as they are shared: those of a family are one object, and so is what each step makes of them. */

import { SharedValues, sharedStep } from '../../machinery/schema/shared.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { mapField } from '../field-defaults.ts'
import type { Pod, PodSpec } from './types.gen.ts'

export const podSpecSchema = builtinSchema('core.v1.PodSpec')

const specs = new SharedValues<PodSpec>(podSpecSchema)

export function withSharedSpec(pod: Pod): Pod {
  return mapField(pod, 'spec', (spec) => specs.of(spec))
}

/** `make` must look at nothing but the spec. */
export function podSpecStep(make: (spec: PodSpec) => PodSpec): (spec: PodSpec) => PodSpec {
  return sharedStep(podSpecSchema, make)
}
