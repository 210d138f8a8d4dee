/** Which pods use which claims: those they name, and those made for their ephemeral volumes. */

import { pods } from '../../apis/core/pod/definition.ts'
import { isPodTerminal } from '../../apis/core/pod/pod-status.ts'
import type { Pod, Volume } from '../../apis/core/types.gen.ts'
import type { Informer } from '../../client/informer.ts'
import { keyText, type ObjectKey } from '../../machinery/meta/object.ts'
import type { Cache } from '../runtime/controller.ts'

const CLAIM_INDEX = 'spec.volumes.claim'

/** The claim for an ephemeral volume is named after the pod and the volume. */
export function ephemeralClaimName(pod: Pod, volume: Volume): string {
  return `${pod.metadata.name}-${volume.name}`
}

export function claimKeysOf(pod: Pod): readonly ObjectKey[] {
  const { namespace } = pod.metadata
  return (pod.spec?.volumes ?? []).flatMap((volume) => {
    const name = volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral ? ephemeralClaimName(pod, volume) : '')
    return name === '' ? [] : [{ namespace, name }]
  })
}

export function podsOfClaim(cache: Cache, key: ObjectKey): readonly Pod[] {
  const informer: Informer<Pod> = cache.informer(pods)
  informer.addIndex(CLAIM_INDEX, (pod) => claimKeysOf(pod).map(keyText))
  return informer.byIndex(CLAIM_INDEX, keyText(key))
}

/** Pods that have not run to their end. */
export function activePodsOfClaim(cache: Cache, key: ObjectKey): readonly Pod[] {
  return podsOfClaim(cache, key).filter((pod) => !isPodTerminal(pod))
}
