/** Keeps claims while pods use them and volumes while claims have them: takes the finalizers away when that is over. */

import { attributesClassNames } from '../../apis/core/persistent-volume/claim-class.ts'
import { persistentVolumes } from '../../apis/core/persistent-volume/definition.ts'
import { ephemeralClaimName } from '../../apis/core/persistent-volume/pod-claims.ts'
import {
  ATTRIBUTES_CLASS_PROTECTION,
  CLAIM_PROTECTION,
  VOLUME_PROTECTION,
} from '../../apis/core/persistent-volume/volume-finalizers.ts'
import { persistentVolumeClaims } from '../../apis/core/persistent-volume-claim.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../apis/core/types.gen.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import type { VolumeAttributesClass } from '../../apis/storage/types.gen.ts'
import { volumeAttributesClasses } from '../../apis/storage/volume-attributes-class.ts'
import { isBeingDeleted } from '../../machinery/meta/finalizers.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { controllerOf } from '../../machinery/meta/owner.ts'
import { type Action, updateAction } from '../runtime/action.ts'
import { defineController } from '../runtime/controller.ts'
import { claimKeysOf, podsOfClaim } from './claim-users.ts'

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

interface ClassUse {
  readonly attributesClass: VolumeAttributesClass
  readonly inUse: boolean
}

export const attributesClassProtectionController = defineController({
  name: 'volumeattributesclass-protection-controller',
  reconciles: volumeAttributesClasses,
  watches: [
    {
      definition: persistentVolumeClaims,
      keysOf: (claim: PersistentVolumeClaim) => [...attributesClassNames(claim)].map(keyOfClass),
    },
    { definition: persistentVolumes, keysOf: (volume: PersistentVolume) => namesOfVolume(volume).map(keyOfClass) },
  ],
  observe: (cache, { name }): ClassUse | undefined => {
    const attributesClass = cache.get(volumeAttributesClasses, { name })
    if (!attributesClass) return undefined
    const claims = cache.informer(persistentVolumeClaims)
    claims.addIndex(CLASS_INDEX, (claim) => [...attributesClassNames(claim)])
    const volumes = cache.informer(persistentVolumes)
    volumes.addIndex(CLASS_INDEX, namesOfVolume)
    const inUse = claims.byIndex(CLASS_INDEX, name).length > 0 || volumes.byIndex(CLASS_INDEX, name).length > 0
    return { attributesClass, inUse }
  },
  plan: ({ attributesClass, inUse }) => ({
    actions: protect(volumeAttributesClasses, attributesClass, ATTRIBUTES_CLASS_PROTECTION, inUse),
  }),
})

const CLASS_INDEX = 'volumeAttributesClassName'

const keyOfClass = (name: string) => ({ name })

function namesOfVolume({ spec }: PersistentVolume): readonly string[] {
  return spec?.volumeAttributesClassName ? [spec.volumeAttributesClassName] : []
}

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
