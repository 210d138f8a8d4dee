/** Tells when something goes that quotas count: of the resources that some quota names, and of no others. */

import { quotaEvaluator } from '../../apis/core/quota/evaluators.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import type { ResourceAddress } from '../../client/client.ts'
import { discover, type ServedResource } from '../../client/discovery.ts'
import { type ReflectorSink, reflect } from '../../client/reflector.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import type { WatchEvent } from '../../machinery/wire/message.ts'
import type { ControllerParts } from '../runtime/controller.ts'
import { SIZED } from './resource-quota-count.ts'

export interface FreedUsage {
  readonly group: string
  readonly resource: string
  /** Undefined: of any namespace. */
  readonly namespace: string | undefined
}

export interface QuotaChanges extends AsyncDisposable {
  /** Follows these resources for a quota from now on, and no more what only this quota named before. */
  follow(quota: string, resources: readonly ResourceAddress[]): Promise<void>
  served(group: string, resource: string): Promise<ResourceAddress | undefined>
}

interface Following {
  readonly quotas: Set<string>
  stop(): Promise<void>
}

export function watchQuotaChanges(parts: ControllerParts, freed: (usage: FreedUsage) => void): QuotaChanges {
  const following = new Map<string, Following>()
  const subscriptions = SIZED.map((definition) => followSized(parts, definition, freed))
  const release = async (quota: string, kept: ReadonlySet<string>): Promise<void> => {
    for (const [name, { quotas, stop }] of [...following]) {
      if (kept.has(name) || !quotas.delete(quota) || quotas.size > 0) continue
      following.delete(name)
      await stop()
    }
  }
  const resources = new Map<string, ServedResource>()
  return {
    async follow(quota, wanted) {
      const counted = new Map(wanted.filter((resource) => !isSized(resource)).map((one) => [nameOf(one), one]))
      for (const [name, resource] of counted) {
        const known = following.get(name)
        if (known) known.quotas.add(quota)
        else following.set(name, { quotas: new Set([quota]), stop: followMetadata(parts, resource, freed) })
      }
      await release(quota, new Set(counted.keys()))
    },
    async served(group, resource) {
      const name = nameOf({ group, resource })
      if (!resources.has(name)) {
        const found = await discover(parts.client)
        resources.clear()
        for (const one of found.resources) if (one.scope === 'Namespaced') resources.set(nameOf(one), one)
      }
      return resources.get(name)
    },
    async [Symbol.asyncDispose]() {
      for (const unsubscribe of subscriptions) unsubscribe()
      await Promise.all([...following.values()].map(({ stop }) => stop()))
    },
  }
}

const nameOf = ({ group, resource }: Pick<ResourceAddress, 'group' | 'resource'>): string => `${group}/${resource}`

function isSized(address: ResourceAddress): boolean {
  return SIZED.some((definition) => nameOf(definition) === nameOf(address))
}

function followSized(
  { informers, clock }: ControllerParts,
  definition: ResourceDefinition,
  freed: (usage: FreedUsage) => void,
): () => void {
  const { group, resource } = definition
  const evaluator = quotaEvaluator(group, resource)
  const free = ({ metadata: { namespace } }: KubeObject) => freed({ group, resource, namespace })
  return informers.of(definition).subscribe({
    updated: (object, previous) => {
      if (evaluator?.replenishes(object, previous, clock.now())) free(object)
    },
    deleted: free,
  })
}

/** Remembers nothing: what went while the watch was broken may have gone anywhere. */
function followMetadata(
  { client, clock, random, log }: ControllerParts,
  address: ResourceAddress,
  freed: (usage: FreedUsage) => void,
): () => Promise<void> {
  const { group, resource } = address
  const stopping = new AbortController()
  const sink: ReflectorSink<KubeObject> = {
    replace: () => freed({ group, resource, namespace: undefined }),
    apply: ({ type, object }: WatchEvent) => {
      if (type === 'DELETED') freed({ group, resource, namespace: object.metadata.namespace })
    },
  }
  const parts = { client: client.metadataOf(address), selection: {}, sink, clock, random, log }
  const done = reflect(parts, stopping.signal)
  return async () => {
    stopping.abort()
    await done
  }
}
