/** What scheduling asks about claims and volumes, and which volumes are as good as taken. */

import { claimClassName, volumeClassName } from '../apis/core/persistent-volume/claim-class.ts'
import { persistentVolumes } from '../apis/core/persistent-volume/definition.ts'
import { persistentVolumeClaims } from '../apis/core/persistent-volume-claim.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../apis/core/types.gen.ts'
import { storageClasses } from '../apis/storage/storage-class.ts'
import type { StorageClass } from '../apis/storage/types.gen.ts'
import type { Informers } from '../client/informers.ts'

export interface VolumeLookups {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined
  volume(name: string): PersistentVolume | undefined
  storageClass(name: string): StorageClass | undefined
  /** Volumes that a claim might get: of its class, or meant for it. Those that were just given to another are left out. */
  candidates(claim: PersistentVolumeClaim): readonly PersistentVolume[]
}

export const NO_VOLUMES: VolumeLookups = {
  claim: () => undefined,
  volume: () => undefined,
  storageClass: () => undefined,
  candidates: () => [],
}

const CLASS_INDEX = 'storageClassName'

export interface TrackedVolumes extends VolumeLookups {
  /** The volume goes to this claim, though the API does not say so yet. */
  assume(volumeName: string, claimUid: string): void
  forget(volumeName: string): void
}

export function trackVolumes(informers: Informers): TrackedVolumes {
  const claims = informers.of(persistentVolumeClaims)
  const volumes = informers.of(persistentVolumes)
  const classes = informers.of(storageClasses)
  volumes.addIndex(CLASS_INDEX, (volume) => [volumeClassName(volume)])
  /** Claim uids by volume name: as many as bindings are on their way. */
  const assumed = new Map<string, string>()
  const isTaken = ({ metadata }: PersistentVolume, { metadata: { uid } }: PersistentVolumeClaim): boolean => {
    const taker = assumed.get(metadata.name ?? '')
    return taker !== undefined && taker !== uid
  }
  return {
    claim: (namespace, name) => claims.get({ namespace, name }),
    volume: (name) => volumes.get({ name }),
    storageClass: (name) => classes.get({ name }),
    candidates: (claim) =>
      volumes.byIndex(CLASS_INDEX, claimClassName(claim)).filter((volume) => !isTaken(volume, claim)),
    assume: (volumeName, claimUid) => void assumed.set(volumeName, claimUid),
    forget: (volumeName) => void assumed.delete(volumeName),
  }
}
