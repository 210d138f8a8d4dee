/**
 * Fields of pods that belong to features which are off in v1.36 unless somebody turns them on, and nobody can here.
 * Upstream drops them without a word, and so does this.
 */

import { mapField, mapItems } from '../../field-defaults.ts'
import { podSpecStep } from '../shared-pod-spec.ts'
import type { Container, Lifecycle, PodSpec, PodStatus, Volume, VolumeProjection } from '../types.gen.ts'

/** For `prepareForCreate` and `prepareForUpdate` of pods and of whatever has a template of them. */
export function withoutDisabledFields<T extends { readonly spec?: PodSpec | undefined }>(template: T): T {
  return mapField(template, 'spec', enabledSpec)
}

/** The same of a spec alone. */
export const enabledSpec = podSpecStep((spec) => steps.reduce((result, step) => step(result), spec))

const steps: readonly ((spec: PodSpec) => PodSpec)[] = [
  (spec) => (spec.schedulingGroup === undefined ? spec : withoutGroup(spec)),
  (spec) => mapField(spec, 'volumes', (volumes) => mapItems(volumes, withoutProjections)),
  (spec) => mapField(spec, 'initContainers', (containers) => mapItems(containers, withoutStopSignal)),
  (spec) => mapField(spec, 'containers', (containers) => mapItems(containers, withoutStopSignal)),
  (spec) => mapField(spec, 'ephemeralContainers', (containers) => mapItems(containers, withoutStopSignal)),
]

function withoutGroup({ schedulingGroup: _, ...spec }: PodSpec): PodSpec {
  return spec
}

function withoutStopSignal<T extends Container>(container: T): T {
  const { lifecycle } = container
  if (lifecycle?.stopSignal === undefined) return container
  const { stopSignal: _, ...kept }: Lifecycle = lifecycle
  return { ...container, lifecycle: Object.keys(kept).length === 0 ? undefined : kept }
}

/** Certificates and bundles of trust among the projections of a volume. */
function withoutProjections(volume: Volume): Volume {
  return mapField(volume, 'projected', (projected) =>
    mapField(projected, 'sources', (sources) =>
      mapItems(sources, (source) => {
        if (!source.podCertificate && !source.clusterTrustBundle) return source
        const { podCertificate: _, clusterTrustBundle: _bundle, ...kept }: VolumeProjection = source
        return kept
      }),
    ),
  )
}

export function withoutDisabledStatus({ nodeAllocatableResourceClaimStatuses: _, ...status }: PodStatus): PodStatus {
  return status
}
