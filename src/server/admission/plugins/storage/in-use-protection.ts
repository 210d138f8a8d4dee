/**
 * StorageObjectInUseProtection: volumes, claims and classes of volume attributes get a finalizer when they are made,
 * which a controller takes away when nobody uses them any more.
 */

import {
  ATTRIBUTES_CLASS_PROTECTION,
  CLAIM_PROTECTION,
  VOLUME_PROTECTION,
} from '../../../../apis/core/persistent-volume/volume-finalizers.ts'
import type { AdmissionPlugin } from '../../plugin.ts'

const FINALIZERS: ReadonlyMap<string, string> = new Map([
  ['/persistentvolumes', VOLUME_PROTECTION],
  ['/persistentvolumeclaims', CLAIM_PROTECTION],
  ['storage.k8s.io/volumeattributesclasses', ATTRIBUTES_CLASS_PROTECTION],
])

export function storageObjectInUseProtection(): AdmissionPlugin {
  return {
    name: 'StorageObjectInUseProtection',
    operations: ['CREATE'],
    about: [...FINALIZERS.keys()],
    mutate({ definition, subresource }, object) {
      const finalizer = FINALIZERS.get(`${definition.group}/${definition.resource}`)
      const present = object.metadata.finalizers ?? []
      if (finalizer === undefined || subresource !== '' || present.includes(finalizer)) return object
      return { ...object, metadata: { ...object.metadata, finalizers: [...present, finalizer] } }
    },
  }
}
