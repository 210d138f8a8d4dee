/**
 * Changing objects: `change` makes the new object from the live one, and is asked again when somebody else was
 * faster, so that a patch never loses another's write. A change that changes nothing writes nothing.
 */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { finalizerErrors } from '../../apis/owned-finalizers.ts'
import type { Awaitable } from '../../base/awaitable.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { conflict, invalid, notFound, OBJECT_MODIFIED } from '../../machinery/meta/api-error.ts'
import { invalidValue } from '../../machinery/meta/field-error.ts'
import type { KubeObject, ObjectKey, ObjectMeta } from '../../machinery/meta/object.ts'
import { parseResourceVersion } from '../../machinery/meta/resource-version.ts'
import { metadataPath, validateObjectMetaUpdate } from '../../machinery/meta/validate-meta.ts'
import { canonical } from '../../machinery/schema/canonical.ts'
import type { Companion } from './admission-hooks.ts'
import type { Stored } from './codec.ts'
import { admissionAttributes, current, type RegistryContext, type WriteOptions } from './context.ts'
import { create } from './create.ts'
import type { Endpoint } from './endpoint.ts'
import { goesWithUpdate } from './graceful-deletion.ts'
import { invalidObjectText, type Persisted, put, remove } from './persist.ts'
import { noReservation } from './reservation.ts'
import { trackUpdateOf } from './track.ts'
import { uniqueOwners } from './unique-owners.ts'
import { write } from './write.ts'

/** Rounds of one update against concurrent writers. Each round that is lost is a write that somebody else won. */
const UPDATE_ATTEMPTS_MAX = 100

export interface Updating<T extends KubeObject> {
  /** The new object; `live` is undefined when there is none and the caller may create it. Called again after a lost race. */
  change(live: T | undefined): T | Promise<T>
  readonly endpoint: Endpoint<T>
  /** Whether a missing object is created. */
  readonly creates: boolean
  /** Another uid is a change that is refused; else it is a precondition that fails. */
  readonly fixesUid?: boolean | undefined
  /** What the change does without a resourceVersion: `refused` where the resource demands one. */
  readonly withoutVersion: 'taken' | 'refused'
  /** The change has recorded managedFields itself: server-side apply. */
  readonly tracked?: boolean | undefined
}

export interface Updated<T extends KubeObject> {
  readonly stored: Stored<T>
  readonly created: boolean
}

export async function update<T extends KubeObject>(
  context: RegistryContext<T>,
  key: ObjectKey,
  updating: Updating<T>,
  options: WriteOptions,
): Promise<Updated<T>> {
  let live = await current(context, key, options.signal)
  for (let attempt = 0; attempt < UPDATE_ATTEMPTS_MAX; attempt++) {
    if (!live) return await createInstead(context, key, updating, options)
    const outcome = await updateOnce(context, live, updating, options)
    if (outcome.result === 'written') return { stored: outcome.stored, created: false }
    live = outcome.live
  }
  throw conflict(context.definition, key.name, OBJECT_MODIFIED)
}

/** What the server changes in an object because of what it was asked. */
export interface Amendment<T extends KubeObject> {
  /** The object has this uid and this version, or the amendment fails. Absent or empty: any. */
  readonly uid?: string | undefined
  readonly resourceVersion?: string | undefined
  /** Throws to refuse. Called again after a lost race. */
  change(live: T): T
}

/**
 * A change in which neither the rules of the resource nor plugins have a say, and for which no manager is recorded: as
 * upstream's that go past the strategy. What was asked has been checked before.
 */
export async function amend<T extends KubeObject>(
  context: RegistryContext<T>,
  key: ObjectKey,
  amendment: Amendment<T>,
  { dryRun, cause, signal }: Pick<WriteOptions, 'dryRun' | 'cause' | 'signal'>,
): Promise<void> {
  const { definition } = context
  let live = await current(context, key, signal)
  for (let attempt = 0; attempt < UPDATE_ATTEMPTS_MAX; attempt++) {
    if (!live) throw notFound(definition, key.name)
    checkExpected(definition, live, amendment)
    const previous = live.object()
    const amended = canonical(amendment.change(previous), definition.schema, previous)
    if (dryRun || amended === previous) return
    const outcome = await put(context, amended, live, cause)
    if (outcome.result === 'written') return
    live = outcome.live
  }
  throw conflict(definition, key.name, OBJECT_MODIFIED)
}

function checkExpected<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  live: Stored<T>,
  { uid, resourceVersion }: Pick<Amendment<T>, 'uid' | 'resourceVersion'>,
): void {
  const check = (name: string, expected: string | undefined, found: string) => {
    if (!expected || expected === found) return
    const detail = `Precondition failed: ${name} in precondition: ${expected}, ${name} in object meta: ${found}`
    throw conflict(definition, live.name, invalidObjectText(live.key, detail))
  }
  check('UID', uid, live.uid)
  check('ResourceVersion', resourceVersion, String(live.revision))
}

async function createInstead<T extends KubeObject>(
  context: RegistryContext<T>,
  key: ObjectKey,
  { change, creates, tracked }: Updating<T>,
  options: WriteOptions,
): Promise<Updated<T>> {
  const { definition } = context
  if (!creates) throw notFound(definition, key.name)
  const incoming = await change(undefined)
  const { uid, resourceVersion: _, ...metadata } = incoming.metadata
  if (uid) {
    const detail = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`
    throw conflict(definition, key.name, detail)
  }
  return { stored: await create(context, { ...incoming, metadata }, { ...options, tracked }), created: true }
}

async function updateOnce<T extends KubeObject>(
  context: RegistryContext<T>,
  live: Stored<T>,
  updating: Updating<T>,
  options: WriteOptions,
): Promise<Persisted<T>> {
  const { definition, admission, reservations, clock } = context
  const { endpoint } = updating
  const nowMs = clock.now()
  const previous = live.object()
  const changed = uniqueOwners(await updating.change(previous), options.warn)
  checkPreconditions(context, changed, live, updating)
  const incoming = withLiveMeta(changed, previous)
  const key = { namespace: previous.metadata.namespace, name: live.name }
  const attributes = (object: T) =>
    admissionAttributes(
      context,
      { operation: 'UPDATE', key, subresource: endpoint.subresource, object, previous },
      options,
    )
  return write(definition, incoming, {
    previous,
    track: (object) =>
      updating.tracked ? object : trackUpdateOf(context, { object, live: previous, endpoint }, options),
    // What plugins return is an object of the same resource: they are given one and change its fields.
    mutate: (object) => admission.mutate(attributes(object), object) as Awaitable<T>,
    prepare: (object) =>
      withLiveMeta(endpoint.prepareForUpdate(object, previous, { user: options.user, nowMs }), previous),
    reserve: (object) => {
      const reserved = endpoint.subresource === '' ? reservations?.reserve(object, previous, options.dryRun) : undefined
      return reserved ?? noReservation(object)
    },
    kind: endpoint.kind,
    validate: (object) => {
      const errors = [
        ...validateObjectMetaUpdate(object.metadata, previous.metadata),
        ...finalizerErrors(definition, object),
        ...endpoint.validate(object, previous),
      ]
      const warned = errors.length === 0 && endpoint.subresource === ''
      if (warned) for (const text of definition.warnings(object, previous)) options.warn(text)
      return errors
    },
    admit: (object) => admission.validate(attributes(object)),
    persist: (object) =>
      admission.persist(attributes(object), (companions) =>
        persistChange(context, { object, live, companions }, options),
      ),
  })
}

async function persistChange<T extends KubeObject>(
  context: RegistryContext<T>,
  {
    object,
    live,
    companions,
  }: { readonly object: T; readonly live: Stored<T>; readonly companions: readonly Companion[] },
  { dryRun, cause }: WriteOptions,
): Promise<Persisted<T>> {
  if (goesWithUpdate(context.definition, object)) {
    if (dryRun) return { result: 'written', stored: context.codec.stored(object, live.revision) }
    const outcome = await remove(context, live, cause, object)
    if (outcome.result === 'written') context.reservations?.removed(object)
    return outcome
  }
  const isNew = !deepEqual(object, live.object()) || (!dryRun && (await isStale(context, live)))
  if (!isNew) return { result: 'written', stored: live }
  if (dryRun) return { result: 'written', stored: context.codec.stored(object, live.revision) }
  return put(context, object, live, cause, companions)
}

/** Whether the bytes on disk are not the ones that the same object would be today: encrypted with an older key. */
async function isStale<T extends KubeObject>({ storage }: RegistryContext<T>, { key }: Stored<T>): Promise<boolean> {
  return (await storage.get(key))?.stale ?? false
}

function checkPreconditions<T extends KubeObject>(
  { definition }: RegistryContext<T>,
  object: T,
  live: Stored<T>,
  { withoutVersion, fixesUid = false }: Updating<T>,
): void {
  const { uid, resourceVersion } = object.metadata
  if (uid && uid !== live.uid && !fixesUid) {
    const detail = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.uid}`
    throw conflict(definition, live.name, invalidObjectText(live.key, detail))
  }
  const version = parseResourceVersion(resourceVersion)
  if (version === 0) {
    if (withoutVersion === 'taken') return
    const path = metadataPath.child('resourceVersion')
    const error = { ...invalidValue(path, '', ''), message: 'Invalid value: 0: must be specified for an update' }
    const { group, resource: kind } = definition
    throw invalid({ group, kind }, live.name, [error])
  }
  if (version !== live.revision) throw conflict(definition, live.name, OBJECT_MODIFIED)
}

/** What no update changes; what an update may leave out. */
function withLiveMeta<T extends KubeObject>(object: T, { metadata: live }: T): T {
  if (hasLiveMeta(object.metadata, live)) return object
  const {
    selfLink: _link,
    deletionTimestamp: _deletion,
    deletionGracePeriodSeconds: grace = live.deletionGracePeriodSeconds,
    ...metadata
  } = object.metadata
  const kept: ObjectMeta = {
    ...metadata,
    uid: metadata.uid || live.uid,
    resourceVersion: live.resourceVersion,
    creationTimestamp: live.creationTimestamp,
  }
  const deleting = live.deletionTimestamp ? { deletionTimestamp: live.deletionTimestamp } : {}
  const graceful = grace === undefined ? {} : { deletionGracePeriodSeconds: grace }
  return { ...object, metadata: { ...kept, ...deleting, ...graceful } }
}

/** Patches keep what they do not mention. */
function hasLiveMeta(metadata: ObjectMeta, live: ObjectMeta): boolean {
  return (
    metadata.uid === live.uid &&
    metadata.resourceVersion === live.resourceVersion &&
    metadata.creationTimestamp === live.creationTimestamp &&
    metadata.deletionTimestamp === live.deletionTimestamp &&
    metadata.deletionGracePeriodSeconds === live.deletionGracePeriodSeconds &&
    metadata.selfLink === undefined
  )
}
