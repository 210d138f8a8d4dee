/** PersistentVolumeClaimResize: a claim grows only when it is bound and its class says that volumes can grow. */

import { claimClassName } from '../../../../apis/core/persistent-volume/claim-class.ts'
import type { PersistentVolumeClaim } from '../../../../apis/core/types.gen.ts'
import { storageClasses } from '../../../../apis/storage/storage-class.ts'
import { compareQuantities, quantityOf } from '../../../../machinery/meta/quantity.ts'
import type { AdmissionPlugin, AdmissionView } from '../../plugin.ts'
import { refused } from '../../refusal.ts'

export function claimResize({ view }: { readonly view: AdmissionView }): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    operations: ['UPDATE'],
    about: ['/persistentvolumeclaims'],
    async validate(attributes) {
      const { definition, subresource, object, previous } = attributes
      if (definition.group !== '' || definition.resource !== 'persistentvolumeclaims' || subresource !== '') return
      if (!object || !previous || !grows(object as PersistentVolumeClaim, previous as PersistentVolumeClaim)) return
      // The attributes say that these are claims.
      const { status } = previous as PersistentVolumeClaim
      if (status?.phase !== 'Bound') throw refused(attributes, 'Only bound persistent volume claims can be expanded')
      const name = claimClassName(object as PersistentVolumeClaim)
      const same = name === claimClassName(previous as PersistentVolumeClaim)
      const storageClass = name === '' || !same ? undefined : await view.get(storageClasses, { name })
      if (storageClass?.allowVolumeExpansion) return
      const detail =
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize'
      throw refused(attributes, detail)
    },
  }
}

function grows(claim: PersistentVolumeClaim, previous: PersistentVolumeClaim): boolean {
  const sizeOf = ({ spec }: PersistentVolumeClaim) => quantityOf(spec?.resources?.requests?.storage)
  return compareQuantities(sizeOf(claim), sizeOf(previous)) > 0
}
