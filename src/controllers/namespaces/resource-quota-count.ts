/** Counting one quota: lists what its names are about, and adds up. */

import { persistentVolumeClaims } from '../../apis/core/persistent-volume-claim.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import { type Amounts, amountsOf, NONE, only, sameAmounts, sumOf, textsOf } from '../../apis/core/quota/amounts.ts'
import { isInScope, type QuotaEvaluator } from '../../apis/core/quota/evaluator.ts'
import { evaluatorsOf } from '../../apis/core/quota/evaluators.ts'
import { chargedUntil } from '../../apis/core/quota/pod-usage.ts'
import { services } from '../../apis/core/service/definition.ts'
import type { ResourceQuota, ResourceQuotaStatus } from '../../apis/core/types.gen.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import { resourceClaims } from '../../apis/resource/resource-claim.ts'
import type { Client, ResourceAddress } from '../../client/client.ts'
import { undefinedIfNotFound } from '../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'

/** Resources of which quotas count more than the number, so that whole objects are read. */
export const SIZED: readonly ResourceDefinition[] = [pods, services, persistentVolumeClaims, resourceClaims]

export interface Counting {
  readonly client: Client
  /** What serves a resource; undefined: nothing does. */
  served(group: string, resource: string): Promise<ResourceAddress | undefined>
  readonly nowMs: number
  readonly signal: AbortSignal
}

export interface QuotaCount {
  readonly status: ResourceQuotaStatus
  /** What was counted. */
  readonly resources: readonly ResourceAddress[]
  /** Whether the quota names something that is not served, or not yet. */
  readonly unserved: boolean
  /** When the count becomes another one though nothing changes. */
  readonly changesAtMs: number | undefined
}

interface Counted {
  readonly evaluator: QuotaEvaluator
  readonly resource: ResourceAddress
  readonly objects: readonly KubeObject[]
}

export async function countQuota(counting: Counting, quota: ResourceQuota): Promise<QuotaCount> {
  const evaluators = evaluatorsOf(Object.keys(quota.spec.hard ?? {}))
  const found = await Promise.all(evaluators.map((evaluator) => listed(counting, evaluator, quota)))
  const counted = found.filter((entry) => entry !== undefined)
  return {
    status: countedStatus(quota, counted, counting.nowMs),
    resources: counted.map(({ resource }) => resource),
    unserved: counted.length < evaluators.length,
    changesAtMs: nextExpiry(counted, counting.nowMs),
  }
}

async function listed(
  { client, served, signal }: Counting,
  evaluator: QuotaEvaluator,
  { metadata: { namespace } }: ResourceQuota,
): Promise<Counted | undefined> {
  const { group, resource: name } = evaluator
  const definition = SIZED.find((sized) => sized.group === group && sized.resource === name)
  if (definition) {
    const { items } = await client.of(definition).list({ namespace, signal })
    return { evaluator, resource: definition, objects: items }
  }
  const resource = await served(group, name)
  if (!resource) return undefined
  // A custom resource may have gone since it was asked for.
  const list = await client.metadataOf(resource).list({ namespace, signal }).catch(undefinedIfNotFound)
  return list && { evaluator, resource, objects: list.items }
}

/** Names that nobody could count keep the figure that they have. */
export function countedStatus(
  quota: ResourceQuota,
  counted: readonly Pick<Counted, 'evaluator' | 'objects'>[],
  nowMs: number,
): ResourceQuotaStatus {
  const hard = quota.spec.hard ?? {}
  const limited = amountsOf(hard)
  let used: Amounts = new Map()
  for (const { evaluator, objects } of counted) {
    const zeros: Amounts = new Map(evaluator.matchingNames(Object.keys(hard)).map((name) => [name, NONE]))
    const usages = objects
      .filter((object) => isInScope(evaluator, quota, object))
      .map((object) => only(evaluator.usage(object, nowMs), zeros))
    used = sumOf(used, usages.reduce(sumOf, zeros))
  }
  const before = only(amountsOf(quota.status?.used), limited)
  const all = new Map([...before, ...used])
  return { hard, used: sameAmounts(before, all) && quota.status?.used ? textsOf(before) : textsOf(all) }
}

/** When the first pod that is being deleted stops to count. */
function nextExpiry(counted: readonly Counted[], nowMs: number): number | undefined {
  const list = counted.find(({ evaluator: { group, resource } }) => group === '' && resource === pods.resource)
  const times = (list?.objects ?? []).map((pod) => chargedUntil(pod)).filter((ms) => ms !== undefined && ms >= nowMs)
  return times.length === 0 ? undefined : Math.min(...times.map((ms) => ms ?? 0))
}
