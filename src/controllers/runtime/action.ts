/** What a plan may ask for, and `execute`, the only code of the controllers that acts. */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { AssertionError, assertNever } from '../../base/assert.ts'
import type { Client, DeleteRequest, New, Patch } from '../../client/client.ts'
import type { EventRecorder } from '../../client/events.ts'
import { conflict, isConflict, isNotFound } from '../../machinery/meta/api-error.ts'
import { type KubeObject, keyOf, type ObjectKey } from '../../machinery/meta/object.ts'

export interface PlannedEvent {
  readonly regarding: KubeObject
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export interface CreateAction {
  readonly do: 'create'
  readonly definition: ResourceDefinition
  readonly object: New<KubeObject>
  readonly success?: ((created: KubeObject) => PlannedEvent) | undefined
  /** Undefined: not worth an event. */
  readonly failure?: ((error: Error) => PlannedEvent | undefined) | undefined
}

export interface DeleteAction {
  readonly do: 'delete'
  readonly definition: ResourceDefinition
  /** Deleted only while it still has this object's uid. */
  readonly object: KubeObject
  readonly gracePeriodSeconds?: number | undefined
  readonly propagationPolicy?: DeleteRequest['propagationPolicy']
  readonly success?: (() => PlannedEvent) | undefined
  readonly failure?: ((error: Error) => PlannedEvent) | undefined
}

export interface UpdateAction {
  readonly do: 'update'
  readonly definition: ResourceDefinition
  readonly object: KubeObject
  readonly success?: (() => PlannedEvent) | undefined
}

export interface UpdateStatusAction {
  readonly do: 'update-status'
  readonly definition: ResourceDefinition
  readonly object: KubeObject
  /** Left out when an action before it failed: the status tells of what that did. */
  readonly afterSuccess?: boolean | undefined
  /** Recorded once the status is written. */
  readonly events?: readonly PlannedEvent[] | undefined
}

export interface PatchAction {
  readonly do: 'patch'
  readonly definition: ResourceDefinition
  readonly key: ObjectKey
  readonly patch: Patch
  readonly subresource?: string | undefined
  /** Done only while the server has this object, with its uid and not being deleted; a cache may be too old to tell. */
  readonly requires?: { readonly definition: ResourceDefinition; readonly object: KubeObject } | undefined
}

/**
 * Neighbouring `create`s, and neighbouring `delete`s, execute concurrently in batches that grow (1, 2, 4, …), so that
 * a quota or webhook that refuses all is met once, not a thousand times: a failure ends its run of neighbours.
 * Everything else executes in order. No failure keeps later runs from being executed; it makes the key come back.
 */
export type Action =
  | CreateAction
  | DeleteAction
  | UpdateAction
  | UpdateStatusAction
  | PatchAction
  | { readonly do: 'event'; readonly event: PlannedEvent }

type Report = Pick<CreateAction, 'success' | 'failure'>

/** The constructors check that object and definition belong together; the union itself cannot. */
export function createAction<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  object: New<T>,
  report: Report = {},
): Action {
  return { do: 'create', definition, object, ...report }
}

export function updateAction<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  object: T,
  options: Pick<UpdateAction, 'success'> = {},
): Action {
  return { do: 'update', definition, object, ...options }
}

export function updateStatusAction<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  object: T,
  options: Pick<UpdateStatusAction, 'afterSuccess' | 'events'> = {},
): Action {
  return { do: 'update-status', definition, object, ...options }
}

export function deleteAction<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  object: T,
  options: Omit<DeleteAction, 'do' | 'definition' | 'object'> = {},
): Action {
  return { do: 'delete', definition, object, ...options }
}

/** What the caches must show before the same key is looked at again. */
export type Effect =
  | { readonly definition: ResourceDefinition; readonly revision: number }
  | { readonly definition: ResourceDefinition; readonly deleted: KubeObject }

export interface Execution {
  readonly effects: readonly Effect[]
  /** The first failure, if any. */
  readonly failure: Error | undefined
}

/** Concurrent requests of one batch: what one turn of the store's group commit takes easily. */
const BATCH_ACTIONS_MAX = 256

export async function execute(client: Client, events: EventRecorder, actions: readonly Action[]): Promise<Execution> {
  const effects: Effect[] = []
  let failure: Error | undefined
  for (const run of runsOf(actions)) {
    if (failure && run[0]?.do === 'update-status' && run[0].afterSuccess) continue
    for (const batch of batchesOf(run)) {
      const results = await Promise.all(batch.map((action) => perform(client, events, action)))
      for (const result of results) {
        if (result instanceof Error) failure ??= result
        else if (result) effects.push(result)
      }
      if (results.some((result) => result instanceof Error)) break
    }
  }
  return { effects, failure }
}

/** 1, 2, 4, … actions, each once. */
function* batchesOf(run: readonly Action[]): Generator<readonly Action[]> {
  let size = 1
  for (let start = 0; start < run.length; ) {
    yield run.slice(start, start + size)
    start += size
    size = Math.min(size * 2, BATCH_ACTIONS_MAX)
  }
}

/** Groups neighbours that may go out together; every other action stands alone. */
function runsOf(actions: readonly Action[]): readonly (readonly Action[])[] {
  const runs: Action[][] = []
  for (const action of actions) {
    const last = runs.at(-1)
    const groups = action.do === 'create' || action.do === 'delete'
    if (groups && last?.[0]?.do === action.do) last.push(action)
    else runs.push([action])
  }
  return runs
}

async function perform(client: Client, events: EventRecorder, action: Action): Promise<Effect | Error | undefined> {
  try {
    return await act(client, events, action)
  } catch (error) {
    if (!(error instanceof Error) || error instanceof AssertionError) throw error
    const event = action.do === 'create' || action.do === 'delete' ? action.failure?.(error) : undefined
    if (event) record(events, event)
    return error
  }
}

async function act(client: Client, events: EventRecorder, action: Action): Promise<Effect | undefined> {
  switch (action.do) {
    case 'create': {
      const created = await client.of(action.definition).create(action.object)
      if (action.success) record(events, action.success(created))
      return effectOf(action.definition, created)
    }
    case 'update': {
      const updated = await client.of(action.definition).update(action.object)
      if (action.success) record(events, action.success())
      return effectOf(action.definition, updated)
    }
    case 'update-status': {
      const updated = await client.of(action.definition).update(action.object, { subresource: 'status' })
      for (const event of action.events ?? []) record(events, event)
      return effectOf(action.definition, updated)
    }
    case 'patch': {
      const { definition, key, patch, subresource, requires } = action
      if (requires) await mustLive(client, requires)
      return effectOf(definition, await client.of(definition).patch(key, patch, { subresource }))
    }
    case 'delete':
      return remove(client, events, action)
    case 'event':
      record(events, action.event)
      return undefined
    default:
      return assertNever(action)
  }
}

async function mustLive(client: Client, { definition, object }: NonNullable<PatchAction['requires']>): Promise<void> {
  const { metadata } = await client.of(definition).get(keyOf(object))
  const { kind, resource, group } = definition
  if (metadata.uid !== object.metadata.uid || metadata.deletionTimestamp) {
    throw conflict({ group, resource }, metadata.name ?? '', `the ${kind} is gone or being deleted`)
  }
}

async function remove(client: Client, events: EventRecorder, action: DeleteAction): Promise<Effect | undefined> {
  const { definition, object, gracePeriodSeconds, propagationPolicy } = action
  try {
    await client
      .of(definition)
      .delete(keyOf(object), { uid: object.metadata.uid, gracePeriodSeconds, propagationPolicy })
    if (action.success) record(events, action.success())
  } catch (error) {
    // Gone, or another object of that name: what was to be deleted is deleted, by somebody else.
    if (!isNotFound(error) && !isConflict(error)) throw error
  }
  return { definition, deleted: object }
}

function effectOf(definition: ResourceDefinition, written: KubeObject): Effect {
  return { definition, revision: Number(written.metadata.resourceVersion ?? 0) }
}

function record(events: EventRecorder, { regarding, type, reason, message }: PlannedEvent): void {
  events.event(regarding, type, reason, message)
}
