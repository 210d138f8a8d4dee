/** Which pods use which claims: those they name, and those made for their ephemeral volumes. */

import { podClaims } from '../../apis/core/persistent-volume/pod-claims.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import { isPodTerminal } from '../../apis/core/pod/pod-status.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import type { Informer } from '../../client/informer.ts'
import { keyText, type ObjectKey } from '../../machinery/meta/object.ts'
import type { Cache } from '../runtime/controller.ts'

const CLAIM_INDEX = 'spec.volumes.claim'

export function claimKeysOf(pod: Pod): readonly ObjectKey[] {
  const { namespace } = pod.metadata
  return podClaims(pod).map(({ name }) => ({ namespace, name }))
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
