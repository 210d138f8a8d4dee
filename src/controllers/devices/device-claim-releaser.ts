/**
 * resourceclaim-release-controller: ends what pods had reserved when they are done. A claim that nobody uses any more
 * gives its devices back; one that was made for such a pod goes.
 */

import { pods } from '../../apis/core/pod/definition.ts'
import { isPodTerminal, isPodTerminating } from '../../apis/core/pod/pod-status.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import { resourceClaims } from '../../apis/resource/resource-claim.ts'
import type { ResourceClaim, ResourceClaimConsumerReference } from '../../apis/resource/types.gen.ts'
import { isNotFound } from '../../machinery/meta/api-error.ts'
import { isBeingDeleted } from '../../machinery/meta/finalizers.ts'
import { keyOf, type ObjectKey } from '../../machinery/meta/object.ts'
import { controllerOf } from '../../machinery/meta/owner.ts'
import type { Cache, ControllerParts, LoopController } from '../runtime/controller.ts'
import { keyedLoop } from '../runtime/keyed-loop.ts'

/** Keeps a claim while devices are allocated for it. */
const ALLOCATION_FINALIZER = 'resource.kubernetes.io/delete-protection'
const WORKERS = 5

export const deviceClaimReleaser: LoopController = keyedLoop({
  name: 'resourceclaim-release-controller',
  definition: resourceClaims,
  workers: WORKERS,
  isDue: (claim) => consumersOf(claim).length > 0 || isBeingDeleted(claim) || controllerOf(claim)?.kind === pods.kind,
  wakes: [{ definition: pods, keysOf: (pod: Pod) => claimsOf(pod) }],
  work: release,
})

function claimsOf({ metadata: { namespace }, spec, status }: Pod): readonly ObjectKey[] {
  const names = [
    ...(spec?.resourceClaims ?? []).map(({ resourceClaimName }) => resourceClaimName),
    ...(status?.resourceClaimStatuses ?? []).map(({ resourceClaimName }) => resourceClaimName),
    status?.extendedResourceClaimStatus?.resourceClaimName,
  ]
  return names.flatMap((name) => (name === undefined ? [] : [{ namespace, name }]))
}

async function release(parts: ControllerParts, claim: ResourceClaim): Promise<void> {
  const remaining = await remainingConsumers(parts, claim)
  const hasEnded = remaining.length < consumersOf(claim).length
  const isUnused = remaining.length === 0
  const isProtected = claim.metadata.finalizers?.includes(ALLOCATION_FINALIZER) ?? false
  // A claim is unused at first, too: what was allocated goes with the last use, or with the claim.
  const gives = isUnused && isProtected && (hasEnded || isBeingDeleted(claim))
  const released = await writeStatus(parts, claim, { remaining, hasEnded, gives })
  if (gives) await unprotect(parts, released)
  if (isUnused && !isBeingDeleted(claim) && ownerIsDone(parts.cache, claim)) await remove(parts, claim)
}

function consumersOf({ status }: ResourceClaim): readonly ResourceClaimConsumerReference[] {
  return status?.reservedFor ?? []
}

async function remainingConsumers(
  parts: ControllerParts,
  claim: ResourceClaim,
): Promise<readonly ResourceClaimConsumerReference[]> {
  const remaining: ResourceClaimConsumerReference[] = []
  for (const consumer of consumersOf(claim)) {
    if (await stillUses(parts, claim, consumer)) remaining.push(consumer)
  }
  return remaining
}

/** Others than pods end their use themselves. */
async function stillUses(
  { client, cache }: ControllerParts,
  { metadata: { namespace } }: ResourceClaim,
  { apiGroup = '', resource, name, uid }: ResourceClaimConsumerReference,
): Promise<boolean> {
  if (apiGroup !== pods.group || resource !== pods.resource) return true
  const key = { namespace, name }
  const known = cache.get(pods, key)
  if (known?.metadata.uid === uid) return !isDone(known)
  // Whoever reserved it may have seen a newer pod than the cache has.
  const pod = await client.of(pods).get(key).catch(absent)
  return pod?.metadata.uid === uid && !isDone(pod)
}

function absent(error: unknown): undefined {
  if (!isNotFound(error)) throw error
}

/** It will use no devices any more, or never has. */
function isDone(pod: Pod): boolean {
  return isPodTerminal(pod) || (isPodTerminating(pod) && !pod.spec?.nodeName)
}

interface Release {
  readonly remaining: readonly ResourceClaimConsumerReference[]
  readonly hasEnded: boolean
  /** Whether the devices are given back. */
  readonly gives: boolean
}

async function writeStatus(
  { client }: ControllerParts,
  claim: ResourceClaim,
  { remaining, hasEnded, gives }: Release,
): Promise<ResourceClaim> {
  if (!hasEnded && !(gives && claim.status?.allocation)) return claim
  const { reservedFor: _, allocation, ...rest } = claim.status ?? {}
  const status = {
    ...rest,
    ...(!gives && { allocation }),
    ...(remaining.length > 0 && { reservedFor: remaining }),
  }
  return client.of(resourceClaims).update({ ...claim, status }, { subresource: 'status' })
}

async function unprotect({ client }: ControllerParts, claim: ResourceClaim): Promise<void> {
  const finalizers = (claim.metadata.finalizers ?? []).filter((name) => name !== ALLOCATION_FINALIZER)
  await client.of(resourceClaims).update({ ...claim, metadata: { ...claim.metadata, finalizers } })
}

/** Once the pod is gone, its claim goes as all that belongs to it. */
function ownerIsDone(cache: Cache, claim: ResourceClaim): boolean {
  const owner = controllerOf(claim)
  if (owner?.kind !== pods.kind) return false
  const pod = cache.get(pods, { namespace: claim.metadata.namespace, name: owner.name })
  return pod?.metadata.uid === owner.uid && isDone(pod)
}

async function remove({ client }: ControllerParts, claim: ResourceClaim): Promise<void> {
  await client.of(resourceClaims).delete(keyOf(claim), { uid: claim.metadata.uid }).catch(absent)
}
