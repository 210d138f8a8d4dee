/** Which claims a pod uses: those that it names, and those made for its ephemeral volumes. */

import type { Pod, Volume } from '../types.gen.ts'

/** The claim for an ephemeral volume is named after the pod and the volume. */
export function ephemeralClaimName(pod: Pod, volume: Volume): string {
  return `${pod.metadata.name}-${volume.name}`
}

export interface PodClaim {
  readonly name: string
  /** Made for the pod, and its own. */
  readonly ephemeral: boolean
}

export function podClaims(pod: Pod): readonly PodClaim[] {
  return (pod.spec?.volumes ?? []).flatMap((volume): readonly PodClaim[] => {
    if (volume.persistentVolumeClaim) return [{ name: volume.persistentVolumeClaim.claimName, ephemeral: false }]
    return volume.ephemeral ? [{ name: ephemeralClaimName(pod, volume), ephemeral: true }] : []
  })
}
