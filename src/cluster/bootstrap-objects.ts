/**
 * Objects that tell of the server itself: its flows and priority levels, and an APIService for each of its group
 * versions. Created, or put right, at every start.
 */

import { apiServices } from '../apis/apiregistration/api-service.ts'
import { AUTOMANAGED_LABEL, localApiServices } from '../apis/apiregistration/automanaged.ts'
import type { APIService } from '../apis/apiregistration/types.gen.ts'
import { builtinResources } from '../apis/builtin.ts'
import type { ResourceDefinition } from '../apis/definition.ts'
import { deepEqual } from '../base/deep-equal.ts'
import type { Client } from '../client/client.ts'
import { type KubeObject, keyOf } from '../machinery/meta/object.ts'
import type { Registries } from '../server/registry/registries.ts'
import { ensureFlowObjects, seedFlowObjects } from './flow-objects.ts'

/** Safe to repeat; writes nothing when nothing is missing. */
export async function ensureServerObjects(client: Client): Promise<void> {
  await Promise.all([ensureFlowObjects(client), ensureApiServices(client)])
}

/** Writes all of them into a storage that has none of some kind. What a client does later finds nothing missing. */
export async function seedServerObjects(registries: Registries): Promise<void> {
  await Promise.all([
    seedFlowObjects(registries),
    registries.of(apiServices).seed(localApiServices(builtinResources), 'kube-apiserver'),
  ])
}

interface WithSpec extends KubeObject {
  readonly spec: object
}

async function ensureApiServices(client: Client): Promise<void> {
  const wanted = localApiServices(builtinResources)
  const names = new Set(wanted.map(({ metadata }) => metadata.name))
  const existing = await ensureSpecs(client, apiServices, wanted, (service) => !isManaged(service))
  const stale = existing.filter((service) => isManaged(service) && !names.has(service.metadata.name))
  await Promise.all(
    stale.map((service) => client.of(apiServices).delete(keyOf(service), { uid: service.metadata.uid })),
  )
}

function isManaged({ metadata: { labels } }: APIService): boolean {
  return labels?.[AUTOMANAGED_LABEL] === 'onstart'
}

/** Answers what was there before. `keeps`: an existing object whose spec is left alone. */
async function ensureSpecs<T extends WithSpec>(
  client: Client,
  definition: ResourceDefinition<T>,
  wanted: readonly T[],
  keeps: (existing: T) => boolean,
): Promise<readonly T[]> {
  const { items } = await client.of(definition).list()
  const existing = new Map(items.map((item) => [item.metadata.name, item]))
  await Promise.all(
    wanted.map(async (object) => {
      const found = existing.get(object.metadata.name)
      if (found === undefined) await client.of(definition).create(object)
      else if (!keeps(found) && !deepEqual(found.spec, object.spec))
        await client.of(definition).update({ ...found, spec: object.spec })
    }),
  )
  return items
}
