/**
 * persistentvolume-binder-controller: brings claims and volumes together, and looks after volumes whose claims are
 * gone. Two loops, one over claims and one over volumes; what is decided stands in `plan-claim.ts` and `plan-volume.ts`.
 */

import { claimClassName, volumeClassName } from '../../apis/core/persistent-volume/claim-class.ts'
import { persistentVolumes } from '../../apis/core/persistent-volume/definition.ts'
import { BIND_COMPLETED, hasAnnotation } from '../../apis/core/persistent-volume/volume-binding.ts'
import { persistentVolumeClaims } from '../../apis/core/persistent-volume-claim.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../apis/core/types.gen.ts'
import { newestClass } from '../../apis/default-class.ts'
import { isDefaultStorageClass, storageClasses } from '../../apis/storage/storage-class.ts'
import type { StorageClass } from '../../apis/storage/types.gen.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import { keyOf, keyText, type ObjectKey } from '../../machinery/meta/object.ts'
import { type Cache, defineController } from '../runtime/controller.ts'
import { activePodsOfClaim, claimKeysOf } from './claim-users.ts'
import { type ClaimView, planClaim } from './plan-claim.ts'
import { planVolume, type VolumeView } from './plan-volume.ts'

export const claimBinder = defineController({
  name: 'persistentvolume-binder-controller',
  reconciles: persistentVolumeClaims,
  watches: [
    { definition: persistentVolumes, keysOf: claimsForVolume },
    { definition: storageClasses, keysOf: claimsForClass },
    {
      definition: pods,
      keysOf: (pod: Pod, cache: Cache) =>
        pod.spec?.nodeName ? [] : claimKeysOf(pod).filter((key) => isOpen(cache, key)),
      ignores: (pod: Pod, previous: Pod) => pod.spec?.nodeName === previous.spec?.nodeName,
    },
  ],
  observe: (cache, key): ClaimView | undefined => {
    const claim = cache.get(persistentVolumeClaims, key)
    if (!claim) return undefined
    const { volumeName } = claim.spec
    const waiting = activePodsOfClaim(cache, key).filter(({ spec }) => !spec?.nodeName)
    return {
      claim,
      named: volumeName ? cache.get(persistentVolumes, { name: volumeName }) : undefined,
      candidates: volumeName ? [] : candidatesOf(cache, claim),
      storageClass: cache.get(storageClasses, { name: claimClassName(claim) }),
      defaultClass: newestClass(cache.list(storageClasses).filter(isDefaultStorageClass)),
      waitingPods: waiting.map(({ metadata }) => metadata.name ?? '').toSorted(byCodeUnit),
    }
  },
  plan: planClaim,
})

export const volumeReclaimer = defineController({
  name: 'persistentvolume-reclaimer-controller',
  reconciles: persistentVolumes,
  watches: [
    { definition: persistentVolumeClaims, keysOf: volumesForClaim },
    {
      definition: pods,
      keysOf: (pod: Pod, cache: Cache) =>
        claimKeysOf(pod).flatMap((key) => byIndex(cache, CLAIM_INDEX, keyText(key)).map(keyOf)),
      ignores: (pod: Pod, previous: Pod) => pod.status?.phase === previous.status?.phase,
    },
  ],
  observe: (cache, key): VolumeView | undefined => {
    const volume = cache.get(persistentVolumes, key)
    if (!volume) return undefined
    const { namespace, name = '', uid } = volume.spec?.claimRef ?? {}
    const place = { namespace, name }
    const claim = name === '' ? undefined : cache.get(persistentVolumeClaims, place)
    const users = name === '' ? [] : activePodsOfClaim(cache, place).map((pod) => keyText(keyOf(pod)))
    return { volume, claim: claim?.metadata.uid === uid ? claim : undefined, users: users.toSorted(byCodeUnit) }
  },
  plan: planVolume,
})

const CLASS_INDEX = 'storageClassName'
const CLAIM_INDEX = 'spec.claimRef'

/** Volumes by their class and by the claim that they name. */
function byIndex(cache: Cache, index: string, value: string): readonly PersistentVolume[] {
  const informer = cache.informer(persistentVolumes)
  informer.addIndex(CLASS_INDEX, (volume) => [volumeClassName(volume)])
  informer.addIndex(CLAIM_INDEX, ({ spec }) => {
    const { namespace, name } = spec?.claimRef ?? {}
    return name ? [keyText({ namespace, name })] : []
  })
  return informer.byIndex(index, value)
}

function candidatesOf(cache: Cache, claim: PersistentVolumeClaim): readonly PersistentVolume[] {
  const ofClass = byIndex(cache, CLASS_INDEX, claimClassName(claim))
  const meant = byIndex(cache, CLAIM_INDEX, keyText(keyOf(claim)))
  return [...new Set([...meant, ...ofClass])]
}

const OPEN_INDEX = 'unbound by class'
const NAMED_INDEX = 'spec.volumeName'

function claimsBy(cache: Cache, index: string, value: string): readonly PersistentVolumeClaim[] {
  const informer = cache.informer(persistentVolumeClaims)
  informer.addIndex(OPEN_INDEX, (claim) => (isUnbound(claim) ? [claimClassName(claim)] : []))
  informer.addIndex(NAMED_INDEX, ({ spec }) => (spec.volumeName ? [spec.volumeName] : []))
  return informer.byIndex(index, value)
}

function isUnbound(claim: PersistentVolumeClaim): boolean {
  return !hasAnnotation(claim, BIND_COMPLETED)
}

function isOpen(cache: Cache, key: ObjectKey): boolean {
  const claim = cache.get(persistentVolumeClaims, key)
  return claim !== undefined && isUnbound(claim)
}

function claimsForVolume(volume: PersistentVolume, cache: Cache): readonly ObjectKey[] {
  const { namespace, name } = volume.spec?.claimRef ?? {}
  const naming = claimsBy(cache, NAMED_INDEX, volume.metadata.name ?? '').map(keyOf)
  if (name) return [{ namespace, name }, ...naming]
  return [...naming, ...claimsBy(cache, OPEN_INDEX, volumeClassName(volume)).map(keyOf)]
}

/** A class that becomes the default is for claims that have none. */
function claimsForClass({ metadata }: StorageClass, cache: Cache): readonly ObjectKey[] {
  return ['', metadata.name ?? ''].flatMap((name) => claimsBy(cache, OPEN_INDEX, name).map(keyOf))
}

function volumesForClaim(claim: PersistentVolumeClaim, cache: Cache): readonly ObjectKey[] {
  const { volumeName } = claim.spec
  return [
    ...(volumeName ? [{ name: volumeName }] : []),
    ...byIndex(cache, CLAIM_INDEX, keyText(keyOf(claim))).map(keyOf),
  ]
}
