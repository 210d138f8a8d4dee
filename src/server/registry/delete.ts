/** Deleting objects: preconditions, admission, then what `graceful-deletion.ts` decides. */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { conflict, notFound, OBJECT_MODIFIED, type Status } from '../../machinery/meta/api-error.ts'
import type { KubeObject, ObjectKey } from '../../machinery/meta/object.ts'
import type { Stored } from './codec.ts'
import { DeletionAttributes, freshened, known, type RegistryContext, type WriteOptions } from './context.ts'
import { type DeletionPlan, type DeletionWish, goesAsItIs, planDeletion } from './graceful-deletion.ts'
import { type Persisted, put, putAndRemove, remove } from './persist.ts'

/** Rounds of one delete against concurrent writers. */
const DELETE_ATTEMPTS_MAX = 100

export interface DeleteWish extends DeletionWish {
  readonly uid?: string | undefined
  readonly resourceVersion?: string | undefined
}

export interface Deleted<T extends KubeObject> {
  readonly stored: Stored<T>
  /** False: it lingers, for its grace period or its finalizers. */
  readonly gone: boolean
}

export async function deleteObject<T extends KubeObject>(
  context: RegistryContext<T>,
  key: ObjectKey,
  wish: DeleteWish,
  options: WriteOptions,
): Promise<Deleted<T>> {
  if (!context.cache.isFresh) await freshened(context, options.signal)
  return deleteKnown(context, key, wish, options)
}

/** As `deleteObject`, for who has made sure that memory has everything. */
export async function deleteKnown<T extends KubeObject>(
  context: RegistryContext<T>,
  key: ObjectKey,
  wish: DeleteWish,
  options: WriteOptions,
): Promise<Deleted<T>> {
  let live = known(context, key)
  const { warning } = context.definition.deletion
  if (live && warning && wish.propagationPolicy === undefined && wish.orphanDependents === undefined)
    options.warn(warning)
  for (let attempt = 0; attempt < DELETE_ATTEMPTS_MAX; attempt++) {
    if (!live) throw notFound(context.definition, key.name)
    const outcome = await deleteOnce(context, live, wish, options)
    if (outcome.result === 'done') return outcome.deleted
    live = outcome.live
  }
  throw conflict(context.definition, key.name, OBJECT_MODIFIED)
}

/** What a completed delete answers. */
export function deletedStatus<T extends KubeObject>({ group, resource }: ResourceDefinition<T>, gone: Stored): Status {
  const details = { name: gone.name, ...(group === '' ? {} : { group }), kind: resource, uid: gone.uid }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }
}

type Round<T extends KubeObject> =
  | { readonly result: 'done'; readonly deleted: Deleted<T> }
  | { readonly result: 'outrun'; readonly live: Stored<T> | undefined }

async function deleteOnce<T extends KubeObject>(
  context: RegistryContext<T>,
  live: Stored<T>,
  wish: DeleteWish,
  options: WriteOptions,
): Promise<Round<T>> {
  const { definition, admission, clock } = context
  checkPreconditions(definition, live, wish)
  const asked = admission.validate(new DeletionAttributes(context, live, options))
  if (asked instanceof Promise) await asked
  const plan = goesAsItIs(definition, live.finalizers, wish)
    ? AS_IT_IS
    : planDeletion(definition, live.object(), wish, clock.now())
  if (plan.step === 'keep') return { result: 'done', deleted: { stored: live, gone: false } }
  if (options.dryRun) return { result: 'done', deleted: pretended(context, live, plan) }
  if (plan.step === 'remove') return finished(context, await remove(context, live, options.cause, plan.object))
  if (plan.thenRemove) return finished(context, await putAndRemove(context, plan.object, live, options.cause))
  const marked = await put(context, plan.object, live, options.cause)
  if (marked.result === 'outrun') return marked
  return { result: 'done', deleted: { stored: marked.stored, gone: false } }
}

/** Nothing about the object changes before it is removed. */
const AS_IT_IS = { step: 'remove', object: undefined } as const

function finished<T extends KubeObject>({ reservations }: RegistryContext<T>, outcome: Persisted<T>): Round<T> {
  if (outcome.result === 'outrun') return outcome
  reservations?.removed(outcome.stored.object())
  return { result: 'done', deleted: { stored: outcome.stored, gone: true } }
}

function pretended<T extends KubeObject>(
  { codec }: RegistryContext<T>,
  live: Stored<T>,
  plan: Exclude<DeletionPlan<T>, { readonly step: 'keep' }> | typeof AS_IT_IS,
): Deleted<T> {
  const gone = plan.step === 'remove' || plan.thenRemove
  return { stored: plan.object ? codec.stored(plan.object, live.revision) : live, gone }
}

function checkPreconditions<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  live: Stored<T>,
  { uid, resourceVersion }: DeleteWish,
): void {
  const { group, kind: resource } = definition
  if (uid !== undefined && uid !== live.uid)
    throw conflict(
      { group, resource },
      live.name,
      `the UID in the precondition (${uid}) does not match the UID in record (${live.uid}). ` +
        'The object might have been deleted and then recreated',
    )
  if (resourceVersion !== undefined && resourceVersion !== String(live.revision))
    throw conflict(
      { group, resource },
      live.name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record ` +
        `(${live.revision}). The object might have been modified`,
    )
}
