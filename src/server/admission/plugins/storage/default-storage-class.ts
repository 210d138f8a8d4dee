/** DefaultStorageClass: a claim that names no class, not even the empty one, gets the default class. */

import { hasClaimClass } from '../../../../apis/core/persistent-volume/claim-class.ts'
import type { PersistentVolumeClaim } from '../../../../apis/core/types.gen.ts'
import { newestClass } from '../../../../apis/default-class.ts'
import { isDefaultStorageClass, storageClasses } from '../../../../apis/storage/storage-class.ts'
import type { AdmissionPlugin, AdmissionView } from '../../plugin.ts'

export function defaultStorageClass({ view }: { readonly view: AdmissionView }): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    operations: ['CREATE'],
    about: ['/persistentvolumeclaims'],
    async mutate({ definition, subresource }, object) {
      const isClaim = definition.group === '' && definition.resource === 'persistentvolumeclaims' && subresource === ''
      // The attributes say that it is a claim.
      const claim = object as PersistentVolumeClaim
      if (!isClaim || hasClaimClass(claim)) return object
      const chosen = newestClass((await view.list(storageClasses)).filter(isDefaultStorageClass))
      if (!chosen) return object
      const withClass: PersistentVolumeClaim = {
        ...claim,
        spec: { ...claim.spec, storageClassName: chosen.metadata.name },
      }
      return withClass
    },
  }
}
