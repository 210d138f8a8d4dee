/**
 * persistentvolume-expander-controller: a claim that wants more than its volume has needs somebody who can make the
 * volume larger. Nobody in the cluster itself can: the event says who is waited for.
 */

import { persistentVolumes } from '../../apis/core/persistent-volume/definition.ts'
import { isBound } from '../../apis/core/persistent-volume/volume-binding.ts'
import { persistentVolumeClaims } from '../../apis/core/persistent-volume-claim.ts'
import type { PersistentVolumeClaim } from '../../apis/core/types.gen.ts'
import { compareQuantities, quantityOf } from '../../machinery/meta/quantity.ts'
import { defineController } from '../runtime/controller.ts'
import { plannedEvent } from '../runtime/status.ts'

export const volumeExpander = defineController({
  name: 'persistentvolume-expander-controller',
  reconciles: persistentVolumeClaims,
  observe: (cache, key): PersistentVolumeClaim | undefined => {
    const claim = cache.get(persistentVolumeClaims, key)
    if (!claim || !wantsMore(claim)) return undefined
    return isBound(claim, cache.get(persistentVolumes, { name: claim.spec.volumeName ?? '' })) ? claim : undefined
  },
  plan: (claim) => {
    const message = 'waiting for an external controller to expand this PVC'
    const event = plannedEvent(persistentVolumeClaims, claim, { type: 'Normal', reason: 'ExternalExpanding', message })
    return { actions: [{ do: 'event', event }] }
  },
})

function wantsMore({ spec, status }: PersistentVolumeClaim): boolean {
  if (status?.phase !== 'Bound') return false
  return compareQuantities(quantityOf(spec.resources?.requests?.storage), quantityOf(status.capacity?.storage)) > 0
}
