/**
 * What plugins have made of shared specs of pods (`machinery/schema/shared.ts`), remembered: as long as a plugin is to
 * make the same of a spec, it makes the very same one, shared again, and who comes after it need not look at it anew.
 */

import { podSpecSchema } from '../../../apis/core/shared-pod-spec.ts'
import type { PodSpec } from '../../../apis/core/types.gen.ts'
import { isShared, sharedForm } from '../../../machinery/schema/canonical.ts'

/** What `make` makes of the spec with these facts, which besides the spec are all that it may look at. */
export type OfKnownSpec<Facts, Made> = (spec: PodSpec, facts: Facts, make: () => Made) => Made

/**
 * For each shared spec what was made of it last, as long as the spec is there. Facts are the same if they are equal by
 * `===`. `inForm` shares what is made of a shared spec.
 */
export function rememberedBySpec<Facts, Made>(inForm: (made: Made, spec: PodSpec) => Made): OfKnownSpec<Facts, Made> {
  const last = new WeakMap<PodSpec, { readonly facts: Facts; readonly made: Made }>()
  return (spec, facts, make) => {
    const known = last.get(spec)
    if (known !== undefined && known.facts === facts) return known.made
    if (!isShared(spec)) return make()
    const made = inForm(make(), spec)
    last.set(spec, { facts, made })
    return made
  }
}

/** The same, of plugins that make specs and nothing else. */
export function rememberedSpecs<Facts>(): OfKnownSpec<Facts, PodSpec> {
  return rememberedBySpec(sharedSpec)
}

export function sharedSpec(made: PodSpec, spec: PodSpec): PodSpec {
  return sharedForm(made, podSpecSchema, spec)
}
