/** Empties a namespace: pods first, then everything else that is served and can be deleted. */

import { isPodTerminal } from '../../apis/core/pod/pod-status.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import type { Client } from '../../client/client.ts'
import type { ServedResource } from '../../client/discovery.ts'
import { ApiError, isNotFound } from '../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import type { Remaining } from './deletion-conditions.ts'

/** Resources that are emptied at the same time. */
const CONCURRENT_RESOURCES_MAX = 8
/** Objects deleted one by one at the same time, where there is no deletion of collections. */
const CONCURRENT_DELETES_MAX = 16
/** How long whoever has a finalizer on an object is expected to take. */
const FINALIZER_SECONDS = 15

export interface ContentResult {
  readonly remaining: readonly Remaining[]
  readonly failures: readonly string[]
  /** When to look again; 0: nothing is expected to take time. */
  readonly estimateSeconds: number
}

const EMPTY: ContentResult = { remaining: [], failures: [], estimateSeconds: 0 }

export interface ContentRequest {
  readonly client: Client
  readonly namespace: string
  readonly resources: readonly ServedResource[]
  /** Seconds that the namespace's pods may still take to end. */
  readonly podGraceSeconds: number
  readonly signal: AbortSignal
}

export async function deleteContent(request: ContentRequest): Promise<ContentResult> {
  const deletable = request.resources.filter(({ scope, verbs }) => scope === 'Namespaced' && verbs.includes('delete'))
  const pods = deletable.find(isPods)
  const first = pods ? await emptied(request, pods) : EMPTY
  // Other content may be what the pods need to end well: secrets, claims, the accounts they speak as.
  if (first.remaining.length > 0) return first
  const queue = deletable.filter((resource) => !isPods(resource))
  const results: ContentResult[] = [first]
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) results.push(await emptied(request, next))
  }
  await Promise.all(Array.from({ length: CONCURRENT_RESOURCES_MAX }, work))
  return {
    remaining: results.flatMap(({ remaining }) => remaining),
    failures: results.flatMap(({ failures }) => failures),
    estimateSeconds: Math.max(...results.map(({ estimateSeconds }) => estimateSeconds)),
  }
}

function isPods({ group, resource }: ServedResource): boolean {
  return group === '' && resource === 'pods'
}

/** The longest grace of pods that have not ended, while the namespace's deletion is younger than that. */
export function podGraceSeconds(pods: readonly Pod[], deletedMs: number, nowMs: number): number {
  const longest = Math.max(0, ...pods.map(graceOf))
  return nowMs - deletedMs >= longest * 1_000 ? 0 : longest
}

/** A pod that has run to its end waits for nothing, unless its node is about to let it go. */
function graceOf(pod: Pod): number {
  if (isPodTerminal(pod)) return pod.metadata.deletionGracePeriodSeconds ?? 0
  return pod.spec?.terminationGracePeriodSeconds ?? 0
}

async function emptied(request: ContentRequest, resource: ServedResource): Promise<ContentResult> {
  const graceSeconds = isPods(resource) ? request.podGraceSeconds : 0
  try {
    const left = await removeAll(request, resource)
    if (left.length === 0) return EMPTY
    const finalizers = left.map(({ metadata }) => metadata.finalizers ?? [])
    const remaining = [{ group: resource.group, resource: resource.resource, finalizers }]
    const estimateSeconds = graceSeconds || (finalizers.flat().length > 0 ? FINALIZER_SECONDS : 0)
    const unexpected = `unexpected items still remain in namespace: ${request.namespace} for gvr: ${nameOf(resource)}`
    return {
      remaining,
      failures: estimateSeconds > 0 ? [] : [failureText(resource, request, unexpected)],
      estimateSeconds,
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { remaining: [], failures: [failureText(resource, request, error.message)], estimateSeconds: graceSeconds }
  }
}

function nameOf({ group, version, resource }: ServedResource): string {
  return `${group}/${version}, Resource=${resource}`
}

function failureText(resource: ServedResource, { namespace }: ContentRequest, message: string): string {
  return isPods(resource) ? `failed to delete pods for namespace: ${namespace}, err: ${message}` : message
}

/** What is still there afterwards. */
async function removeAll(request: ContentRequest, resource: ServedResource): Promise<readonly KubeObject[]> {
  const { client, namespace, signal } = request
  const objects = client.metadataOf(resource)
  const list = async (limit?: number): Promise<readonly KubeObject[]> => {
    if (!resource.verbs.includes('list')) return []
    return (await ifServed(() => objects.list({ namespace, limit, signal })))?.items ?? []
  }
  // There may be any number: one says that there is something to do.
  if ((await list(1)).length === 0 && resource.verbs.includes('list')) return []
  const together =
    resource.verbs.includes('deletecollection') &&
    (await ifServed(async () => {
      await objects.deleteCollection({ namespace }, { propagationPolicy: 'Background', signal })
      return true
    }))
  if (!together) await removeEach(request, resource, await list())
  return list()
}

async function removeEach(
  { client, signal }: ContentRequest,
  resource: ServedResource,
  found: readonly KubeObject[],
): Promise<void> {
  const queue = [...found]
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { namespace, name = '' } = next.metadata
      await ifServed(() =>
        client.metadataOf(resource).delete({ namespace, name }, { propagationPolicy: 'Background', signal }),
      )
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT_DELETES_MAX }, work))
}

/** Undefined when what was asked for is not served, or not any more. */
async function ifServed<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call()
  } catch (error) {
    if (isNotFound(error) || (error instanceof ApiError && error.code === 405)) return undefined
    throw error
  }
}
