/** What the garbage collector does to objects, each with the uid it means as a precondition. */

import type { PropagationPolicy } from '../../apis/definition.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import type { Client, Patch, ResourceClient } from '../../client/client.ts'
import { retryOnConflict } from '../../client/retry-on-conflict.ts'
import { isConflict, isNotFound } from '../../machinery/meta/api-error.ts'
import { hasFinalizer, withoutFinalizer } from '../../machinery/meta/finalizers.ts'
import { groupResource } from '../../machinery/meta/group-version.ts'
import { type KubeObject, keyOf, keyText, type ObjectMeta, type OwnerReference } from '../../machinery/meta/object.ts'
import type { GraphNode } from './owner-graph.ts'

const NAME = 'garbage-collector-controller'

/** The object as it is now; undefined when it is gone, though another may have its name. */
export async function readLive(client: Client, node: GraphNode): Promise<KubeObject | undefined> {
  const live = await unlessGone(() => client.metadataOf(node.resource).get(keyOfNode(node)))
  return live?.metadata.uid === node.uid ? live : undefined
}

/** `live` is what the decision was made on: with other owners the object is not deleted, and the conflict is thrown. */
export async function deleteObject(
  client: Client,
  node: GraphNode,
  live: KubeObject,
  propagationPolicy: PropagationPolicy,
): Promise<void> {
  const objects = actor(client, node)
  const remove = (resourceVersion: string | undefined) =>
    unlessGone(() => objects.delete(keyOfNode(node), { uid: node.uid, resourceVersion, propagationPolicy }))
  try {
    await remove(live.metadata.resourceVersion)
  } catch (error) {
    if (!isConflict(error)) throw error
    const current = await readLive(client, node)
    if (!current) return
    if (!deepEqual(current.metadata.ownerReferences, live.metadata.ownerReferences)) throw error
    // Something else about it changes all the time; what counts has not changed.
    await remove(undefined)
  }
}

/** Without effect when it is gone, or when nothing changes. */
export async function changeOwners(
  client: Client,
  node: GraphNode,
  change: (owners: readonly OwnerReference[]) => readonly OwnerReference[],
): Promise<void> {
  await changeMetadata(client, node, ({ ownerReferences: before = [] }) => {
    const ownerReferences = change(before)
    return deepEqual(ownerReferences, before) ? undefined : { ownerReferences }
  })
}

export async function removeFinalizer(client: Client, node: GraphNode, finalizer: string): Promise<void> {
  await changeMetadata(client, node, (metadata) => {
    if (!hasFinalizer({ metadata }, finalizer)) return undefined
    return { finalizers: withoutFinalizer({ metadata }, finalizer).metadata.finalizers ?? [] }
  })
}

async function changeMetadata(
  client: Client,
  node: GraphNode,
  change: (metadata: ObjectMeta) => Partial<ObjectMeta> | undefined,
): Promise<void> {
  await retryOnConflict(async () => {
    const live = await readLive(client, node)
    const changed = live && change(live.metadata)
    if (!changed) return
    const { uid, resourceVersion } = live.metadata
    const patch: Patch = { type: 'merge', body: { metadata: { uid, resourceVersion, ...changed } } }
    await unlessGone(() => actor(client, node).patch(keyOf(live), patch))
  })
}

function actor(client: Client, node: GraphNode): ResourceClient<KubeObject> {
  const { group, resource } = node.resource
  const about = `${groupResource(group, resource)} ${keyText(keyOfNode(node))}`
  return client.because({ by: NAME, about }).metadataOf(node.resource)
}

function keyOfNode({ namespace, name }: GraphNode) {
  return { namespace, name }
}

async function unlessGone<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call()
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
