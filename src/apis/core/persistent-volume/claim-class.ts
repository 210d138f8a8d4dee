/** Which storage class a claim or a volume is of: the field, or the annotation that was there before it. */

import type { PersistentVolume, PersistentVolumeClaim } from '../types.gen.ts'

const BETA_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'

/** Empty: of no class. */
export function claimClassName({ metadata, spec }: PersistentVolumeClaim): string {
  return metadata.annotations?.[BETA_ANNOTATION] ?? spec?.storageClassName ?? ''
}

/** Whether the claim names a class, be it none at all: then no default class is meant. */
export function hasClaimClass({ metadata, spec }: PersistentVolumeClaim): boolean {
  return metadata.annotations?.[BETA_ANNOTATION] !== undefined || typeof spec?.storageClassName === 'string'
}

/** The classes of volume attributes that a claim wants, has, and is on its way to. */
export function attributesClassNames({ spec, status }: PersistentVolumeClaim): ReadonlySet<string> {
  const names = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ]
  return new Set(names.flatMap((name) => name || []))
}

export function volumeClassName({ metadata, spec }: PersistentVolume): string {
  return metadata.annotations?.[BETA_ANNOTATION] ?? spec?.storageClassName ?? ''
}
