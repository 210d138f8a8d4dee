/** Brings a pod's status in the API to what the node knows, and leaves alone what others have put there. */

import { pods } from '../apis/core/pod/definition.ts'
import type { Pod, PodStatus } from '../apis/core/types.gen.ts'
import { deepEqual } from '../base/deep-equal.ts'
import type { Client } from '../client/client.ts'
import { retryOnConflict } from '../client/retry-on-conflict.ts'
import { isConflict, isNotFound } from '../machinery/meta/api-error.ts'
import { keyOf } from '../machinery/meta/object.ts'
import { mergeConditions } from './pod-conditions.ts'

/** Answers the pod as it is in the API now; undefined when it is gone, or another of its name is there. */
export async function writeStatus(client: Client, pod: Pod, status: PodStatus): Promise<Pod | undefined> {
  let current = pod
  try {
    return await retryOnConflict(async () => {
      if (current.metadata.uid !== pod.metadata.uid) return undefined
      const merged = mergeStatus(status, current.status)
      if (deepEqual(merged, current.status)) return current
      return await client
        .of(pods)
        .update({ ...current, status: merged }, { subresource: 'status' })
        .catch(async (error: unknown) => {
          if (isConflict(error)) current = await client.of(pods).get(keyOf(pod))
          throw error
        })
    })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** Fields of the node are as it says, also where it says nothing; the others stay (a nominated node, claims, …). */
export function mergeStatus(status: PodStatus, current: PodStatus | undefined): PodStatus {
  return { ...current, ...status, conditions: mergeConditions(status.conditions ?? [], current?.conditions) }
}
