/** ephemeral-volume-controller: makes the claims that pods have templates of. They belong to the pod and go with it. */

import { ephemeralClaimName } from '../../apis/core/persistent-volume/pod-claims.ts'
import { persistentVolumeClaims } from '../../apis/core/persistent-volume-claim.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import { isPodTerminating } from '../../apis/core/pod/pod-status.ts'
import type { PersistentVolumeClaim, Pod, Volume } from '../../apis/core/types.gen.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import { controllerOf, ownerReferenceTo } from '../../machinery/meta/owner.ts'
import { type Action, createAction } from '../runtime/action.ts'
import { defineController, type Plan } from '../runtime/controller.ts'
import { plannedEvent } from '../runtime/status.ts'
import { podsOfClaim } from './claim-users.ts'

interface EphemeralView {
  readonly pod: Pod
  readonly volumes: readonly { readonly volume: Volume; readonly claim: PersistentVolumeClaim | undefined }[]
}

export const ephemeralVolumeController = defineController({
  name: 'ephemeral-volume-controller',
  reconciles: pods,
  concerns: hasEphemeral,
  watches: [
    {
      definition: persistentVolumeClaims,
      keysOf: ({ metadata: { namespace, name = '' } }, cache) =>
        podsOfClaim(cache, { namespace, name })
          .filter(hasEphemeral)
          .map((pod) => ({ namespace, name: pod.metadata.name ?? '' })),
    },
  ],
  observe: (cache, key): EphemeralView | undefined => {
    const pod = cache.get(pods, key)
    if (!pod || !hasEphemeral(pod)) return undefined
    const volumes = (pod.spec?.volumes ?? [])
      .filter(({ ephemeral }) => ephemeral)
      .map((volume) => {
        const place = { namespace: key.namespace, name: ephemeralClaimName(pod, volume) }
        return { volume, claim: cache.get(persistentVolumeClaims, place) }
      })
    return { pod, volumes }
  },
  plan: planEphemeral,
})

function hasEphemeral({ spec }: Pod): boolean {
  return (spec?.volumes ?? []).some(({ ephemeral }) => ephemeral)
}

export function planEphemeral({ pod, volumes }: EphemeralView): Plan {
  if (isPodTerminating(pod)) return { actions: [] }
  const actions = volumes.flatMap(({ volume, claim }): readonly Action[] => {
    if (!claim) return [createClaim(pod, volume)]
    if (controllerOf(claim)?.uid === pod.metadata.uid) return []
    const name = `${claim.metadata.namespace}/${claim.metadata.name}`
    return [
      {
        do: 'event',
        event: failure(pod, volume, `PVC ${name} was not created for pod ${place(pod)} (pod is not owner)`),
      },
    ]
  })
  return { actions }
}

function createClaim(pod: Pod, volume: Volume): Action {
  const template = volume.ephemeral?.volumeClaimTemplate
  const owner = ownerReferenceTo(pod, { apiVersion: apiVersionOf(pods), kind: pods.kind })
  const claimName = ephemeralClaimName(pod, volume)
  const { annotations, labels } = template?.metadata ?? {}
  const claim = {
    metadata: { name: claimName, namespace: pod.metadata.namespace, ownerReferences: [owner], annotations, labels },
    spec: template?.spec ?? {},
  }
  return createAction(persistentVolumeClaims, claim, {
    failure: (error) => failure(pod, volume, `create PVC ${claimName}: ${error.message}`),
  })
}

function failure(pod: Pod, volume: Volume, detail: string) {
  const message = `ephemeral volume ${volume.name}: ${detail}`
  return plannedEvent(pods, pod, { type: 'Warning', reason: 'FailedBinding', message })
}

function place({ metadata }: Pod): string {
  return `${metadata.namespace}/${metadata.name}`
}
