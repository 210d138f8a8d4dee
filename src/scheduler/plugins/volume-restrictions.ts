/** A claim with the access mode ReadWriteOncePod is for one pod in the whole cluster at a time. */

import { podClaims } from '../../apis/core/persistent-volume/pod-claims.ts'
import { type Plugin, reject } from '../framework.ts'
import type { PodInfo } from '../pod-info.ts'
import type { VolumeLookups } from '../volume-lookups.ts'

const REASON = 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'

export const volumeRestrictions: Plugin = {
  name: 'VolumeRestrictions',
  prepare(pod, { nodes, lookups }) {
    const exclusive = exclusiveClaims(pod, lookups.volumes)
    if (exclusive.size === 0) return {}
    const holders = new Set(nodes.filter((node) => node.pods.some((other) => uses(other, pod, exclusive))))
    if (holders.size === 0) return {}
    // Wherever the other pod is, it is in the way: only taking it off its node would help.
    return { filter: (node) => reject(REASON, holders.has(node)) }
  },
  wakes(pod, event) {
    if (event.resource !== 'pods' || event.action !== 'delete') return event.resource === 'volumes'
    const names = new Set(podClaims(pod.pod).map(({ name }) => name))
    return uses(event.pod, pod, names)
  },
}

function exclusiveClaims({ pod, namespace }: PodInfo, lookups: VolumeLookups): ReadonlySet<string> {
  const names = podClaims(pod).map(({ name }) => name)
  return new Set(names.filter((name) => lookups.claim(namespace, name)?.spec.accessModes?.includes('ReadWriteOncePod')))
}

function uses(other: PodInfo, { namespace }: PodInfo, names: ReadonlySet<string>): boolean {
  return other.namespace === namespace && podClaims(other.pod).some(({ name }) => names.has(name))
}
