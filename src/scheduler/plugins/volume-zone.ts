/** Volumes whose labels name a zone or region: pods that use them go to nodes of the same. */

import { podClaims } from '../../apis/core/persistent-volume/pod-claims.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import type { Labels } from '../../machinery/meta/labels.ts'
import { type Plugin, reject } from '../framework.ts'
import type { VolumeLookups } from '../volume-lookups.ts'

/** Each label and the one that has taken its place. */
const LABELS: ReadonlyMap<string, string> = new Map([
  ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
  ['failure-domain.beta.kubernetes.io/region', 'topology.kubernetes.io/region'],
  ['topology.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
  ['topology.kubernetes.io/region', 'topology.kubernetes.io/region'],
])
/** Between the zones of a volume that is in several. */
const SEPARATOR = '__'

interface Place {
  readonly label: string
  readonly values: ReadonlySet<string>
}

export const volumeZone: Plugin = {
  name: 'VolumeZone',
  prepare({ pod }, { lookups }) {
    const places = placesOf(pod, lookups.volumes)
    if (places.length === 0) return {}
    return {
      filter: ({ labels }) =>
        isIn(labels, places) ? undefined : reject('node(s) had no available volume zone', false),
    }
  },
  wakes: (_, { resource }) => resource === 'nodes' || resource === 'volumes',
}

function placesOf(pod: Pod, lookups: VolumeLookups): readonly Place[] {
  return podClaims(pod).flatMap(({ name }) => {
    const volumeName = lookups.claim(pod.metadata.namespace ?? '', name)?.spec.volumeName
    const labels = volumeName ? (lookups.volume(volumeName)?.metadata.labels ?? {}) : {}
    return Object.entries(labels)
      .filter(([label]) => LABELS.has(label))
      .map(([label, value]) => ({ label, values: new Set(value.split(SEPARATOR)) }))
  })
}

/** A node that names no place is taken as being everywhere: clusters of one zone need no labels. */
function isIn(labels: Labels, places: readonly Place[]): boolean {
  if (![...LABELS.keys()].some((label) => Object.hasOwn(labels, label))) return true
  return places.every(({ label, values }) => {
    const value = labels[label] ?? labels[LABELS.get(label) ?? '']
    return value !== undefined && values.has(value)
  })
}
