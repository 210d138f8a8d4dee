/** Keeps claims while pods use them and volumes while claims have them: takes the finalizers away when that is over. */

import { persistentVolumes } from '../../apis/core/persistent-volume/definition.ts'
import { persistentVolumeClaims } from '../../apis/core/persistent-volume-claim.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../apis/core/types.gen.ts'
import { CLAIM_PROTECTION, VOLUME_PROTECTION } from '../../apis/core/volume-finalizers.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import { isBeingDeleted } from '../../machinery/meta/finalizers.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { controllerOf } from '../../machinery/meta/owner.ts'
import { type Action, updateAction } from '../runtime/action.ts'
import { defineController } from '../runtime/controller.ts'
import { claimKeysOf, ephemeralClaimName, podsOfClaim } from './claim-users.ts'

interface ClaimUse {
  readonly claim: PersistentVolumeClaim
  readonly pods: readonly Pod[]
}

export const claimProtectionController = defineController({
  name: 'persistentvolumeclaim-protection-controller',
  reconciles: persistentVolumeClaims,
  watches: [
    { definition: pods, keysOf: claimKeysOf, ignores: (pod: Pod, previous: Pod) => stateOf(pod) === stateOf(previous) },
  ],
  observe: (cache, key): ClaimUse | undefined => {
    const claim = cache.get(persistentVolumeClaims, key)
    return claim && { claim, pods: podsOfClaim(cache, key) }
  },
  plan: ({ claim, pods: users }) => {
    const inUse = users.some((pod) => usesClaim(pod, claim))
    return { actions: protect(persistentVolumeClaims, claim, CLAIM_PROTECTION, inUse) }
  },
})

export const volumeProtectionController = defineController({
  name: 'persistentvolume-protection-controller',
  reconciles: persistentVolumes,
  observe: (cache, key): PersistentVolume | undefined => cache.get(persistentVolumes, key),
  plan: (volume) => ({
    actions: protect(persistentVolumes, volume, VOLUME_PROTECTION, volume.status?.phase === 'Bound'),
  }),
})

/** Objects from before there was the finalizer get it. */
function protect<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  object: T,
  finalizer: string,
  inUse: boolean,
): readonly Action[] {
  const present = object.metadata.finalizers ?? []
  const has = present.includes(finalizer)
  const deleted = isBeingDeleted(object)
  if (has !== deleted || (deleted && inUse)) return []
  const finalizers = deleted ? present.filter((name) => name !== finalizer) : [...present, finalizer]
  return [updateAction(definition, { ...object, metadata: { ...object.metadata, finalizers } })]
}

/** A pod without a node has not begun to use anything. The claim of an ephemeral volume may go as soon as its pod does. */
function usesClaim(pod: Pod, claim: PersistentVolumeClaim): boolean {
  const { name } = claim.metadata
  if (!pod.spec?.nodeName) return false
  return (pod.spec.volumes ?? []).some((volume) => {
    if (volume.persistentVolumeClaim?.claimName === name) return true
    const isOwn = volume.ephemeral && ephemeralClaimName(pod, volume) === name
    return isOwn && !isShutDown(pod) && controllerOf(claim)?.uid === pod.metadata.uid
  })
}

function isShutDown({ metadata }: Pod): boolean {
  return Boolean(metadata.deletionTimestamp) && metadata.deletionGracePeriodSeconds === 0
}

/** What decides whether a pod uses its claims. */
function stateOf(pod: Pod): string {
  return `${pod.spec?.nodeName ?? ''} ${isShutDown(pod)}`
}
