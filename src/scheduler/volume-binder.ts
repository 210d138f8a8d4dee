/**
 * Carries out what was decided about a pod's volumes before the pod is bound: gives volumes to claims, asks for others
 * to be made, and waits until every claim has its volume.
 */

import { persistentVolumes } from '../apis/core/persistent-volume/definition.ts'
import {
  BIND_COMPLETED,
  boundVolume,
  hasAnnotation,
  SELECTED_NODE,
} from '../apis/core/persistent-volume/volume-binding.ts'
import { persistentVolumeClaims } from '../apis/core/persistent-volume-claim.ts'
import type { Node, PersistentVolumeClaim } from '../apis/core/types.gen.ts'
import type { Clock } from '../base/clock.ts'
import { deadline } from '../base/deadline.ts'
import type { Client } from '../client/client.ts'
import type { Informers } from '../client/informers.ts'
import { keyOf } from '../machinery/meta/object.ts'
import type { TrackedVolumes } from './volume-lookups.ts'
import { isUsableOn, type VolumePlan } from './volume-plan.ts'

/** How long a pod waits for its volumes, in ms; upstream's. */
const BINDING_MS_MAX = 600_000

export interface VolumeBinderParts {
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly volumes: TrackedVolumes
  readonly signal: AbortSignal
}

/** From the decision on these volumes are nobody else's. */
export function assumeVolumes(volumes: TrackedVolumes, { given }: VolumePlan): void {
  for (const { claim, volume } of given) volumes.assume(volume.metadata.name ?? '', claim.metadata.uid ?? '')
}

/** Rejects when the volumes cannot be had in time, or not on this node. */
export async function bindVolumes(parts: VolumeBinderParts, plan: VolumePlan, node: Node): Promise<void> {
  const { client, clock, signal, volumes } = parts
  try {
    for (const { claim, volume } of plan.given) {
      const bound = boundVolume(volume, claim)
      if (bound !== volume) await client.of(persistentVolumes).update(bound)
    }
    for (const claim of plan.made) await select(client, claim, node)
    using limit = deadline(clock, BINDING_MS_MAX, signal)
    for (const claim of [...plan.given.map((entry) => entry.claim), ...plan.made])
      await untilBound(parts, claim, node, limit.signal)
  } finally {
    for (const { volume } of plan.given) volumes.forget(volume.metadata.name ?? '')
  }
}

async function select(client: Client, claim: PersistentVolumeClaim, { metadata: { name = '' } }: Node): Promise<void> {
  const annotations = { ...claim.metadata.annotations, [SELECTED_NODE]: name }
  if (claim.metadata.annotations?.[SELECTED_NODE] === name) return
  await client.of(persistentVolumeClaims).update({ ...claim, metadata: { ...claim.metadata, annotations } })
}

async function untilBound(
  { informers }: VolumeBinderParts,
  claim: PersistentVolumeClaim,
  node: Node,
  signal: AbortSignal,
): Promise<void> {
  const claims = informers.of(persistentVolumeClaims)
  const volumes = informers.of(persistentVolumes)
  const { uid } = claim.metadata
  const claimNow = (): PersistentVolumeClaim | undefined => {
    const now = claims.get(keyOf(claim))
    return now?.metadata.uid === uid ? now : undefined
  }
  await claims.until(() => {
    const now = claimNow()
    return !now || hasAnnotation(now, BIND_COMPLETED)
  }, signal)
  const name = claimNow()?.spec.volumeName
  if (!name) throw new Error(`claim ${claim.metadata.name} is gone`)
  await volumes.until(() => volumes.get({ name })?.spec?.claimRef?.uid === uid, signal)
  const volume = volumes.get({ name })
  if (volume && isUsableOn(volume, node)) return
  throw new Error(`pv "${name}" node affinity doesn't match node "${node.metadata.name}"`)
}
