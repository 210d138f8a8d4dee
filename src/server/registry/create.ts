/** Creating objects: what the server sets on new ones, generated names, and what stands in the way. */

import { finalizerErrors } from '../../apis/owned-finalizers.ts'
import type { Awaitable } from '../../base/awaitable.ts'
import { randomUuid } from '../../base/random.ts'
import { ApiError, alreadyExists, internalError, isAlreadyExists } from '../../machinery/meta/api-error.ts'
import { isBeingDeleted } from '../../machinery/meta/finalizers.ts'
import { generateName } from '../../machinery/meta/names.ts'
import type { KubeObject, ObjectMeta } from '../../machinery/meta/object.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import { validateObjectMeta } from '../../machinery/meta/validate-meta.ts'
import type { Companion } from './admission-hooks.ts'
import type { Stored } from './codec.ts'
import { admissionAttributes, current, type RegistryContext, type WriteOptions } from './context.ts'
import { put } from './persist.ts'
import { noReservation } from './reservation.ts'
import { trackCreate } from './track.ts'
import { uniqueOwners } from './unique-owners.ts'
import { write } from './write.ts'

/** With five random characters a second collision is one in 14 million per object that is there; upstream tries 8 times. */
const GENERATED_NAME_ATTEMPTS_MAX = 8

/** The object's namespace is that of the request. `tracked`: its managedFields are final already (server-side apply). */
export async function create<T extends KubeObject>(
  context: RegistryContext<T>,
  incoming: T,
  options: WriteOptions & { readonly tracked?: boolean | undefined },
): Promise<Stored<T>> {
  if (incoming.metadata.resourceVersion)
    throw new ApiError(500, '', 'resourceVersion should not be set on objects to be created')
  const generated = !incoming.metadata.name && Boolean(incoming.metadata.generateName)
  const attempts = generated ? GENERATED_NAME_ATTEMPTS_MAX : 1
  for (let attempt = 1; ; attempt++) {
    try {
      return await createOnce(context, incoming, options)
    } catch (error) {
      if (!isAlreadyExists(error) || !generated) throw error
      if (attempt >= attempts) throw noUniqueName(error)
    }
  }
}

function noUniqueName({ status }: ApiError): ApiError {
  const message = `${status.message}, the server was not able to generate a unique name for the object`
  return new ApiError(409, 'AlreadyExists', message, { ...status.details, retryAfterSeconds: 1 })
}

function createOnce<T extends KubeObject>(
  context: RegistryContext<T>,
  incoming: T,
  options: WriteOptions & { readonly tracked?: boolean | undefined },
): Promise<Stored<T>> {
  const { definition, admission, reservations, clock } = context
  const nowMs = clock.now()
  const attributes = (object: T) => {
    const { namespace, name = '' } = object.metadata
    return admissionAttributes(context, { operation: 'CREATE', key: { namespace, name }, object }, options)
  }
  const shared = definition.share?.(incoming) ?? incoming
  const own = uniqueOwners(withoutSystemFields(shared), options.warn)
  return write(definition, own, {
    track: (object) => (options.tracked ? object : trackCreate(context, object, options)),
    // What plugins return is an object of the same resource: they are given one and change its fields.
    mutate: (object) => admission.mutate(attributes(object), object) as Awaitable<T>,
    prepare: (object) => {
      const named = withSystemFields(context, object, nowMs)
      return definition.prepareForCreate(named, { user: options.user, nowMs })
    },
    reserve: (object) => reservations?.reserve(object, undefined, options.dryRun) ?? noReservation(object),
    validate: (object) => {
      const rules = { namespaced: definition.scope === 'Namespaced', nameRule: definition.nameRule }
      const errors = [
        ...validateObjectMeta(object.metadata, rules),
        ...finalizerErrors(definition, object),
        ...definition.validate(object),
        ...(definition.validateCreate?.(object) ?? []),
      ]
      if (errors.length === 0) for (const text of definition.warnings(object, undefined)) options.warn(text)
      return errors
    },
    admit: (object) => admission.validate(attributes(object)),
    persist: (object) =>
      admission.persist(attributes(object), (companions) => persistNew(context, object, companions, options)),
  })
}

async function persistNew<T extends KubeObject>(
  context: RegistryContext<T>,
  object: T,
  companions: readonly Companion[],
  options: WriteOptions,
): Promise<Stored<T>> {
  const { namespace, name = '' } = object.metadata
  if (options.dryRun) {
    const live = await current(context, { namespace, name }, options.signal)
    if (live) throw exists(context, live)
    return context.codec.stored(object, 0)
  }
  const outcome = await put(context, object, undefined, options.cause, companions)
  if (outcome.result === 'written') return outcome.stored
  throw outcome.live ? exists(context, outcome.live) : internalError('an object that stood in the way is gone')
}

function exists<T extends KubeObject>({ definition }: RegistryContext<T>, live: Stored<T>): ApiError {
  const error = alreadyExists(definition, live.name)
  if (!isBeingDeleted(live.object())) return error
  return new ApiError(409, 'AlreadyExists', `object is being deleted: ${error.message}`, error.status.details)
}

const SYSTEM_FIELDS = [
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
  'resourceVersion',
  'uid',
  'creationTimestamp',
] as const

function withoutSystemFields<T extends KubeObject>(object: T): T {
  if (SYSTEM_FIELDS.every((field) => object.metadata[field] === undefined)) return object
  const {
    deletionTimestamp: _deletion,
    deletionGracePeriodSeconds: _grace,
    selfLink: _link,
    resourceVersion: _version,
    uid: _uid,
    creationTimestamp: _creation,
    ...metadata
  } = object.metadata
  return { ...object, metadata }
}

function withSystemFields<T extends KubeObject>({ random }: RegistryContext<T>, object: T, nowMs: number): T {
  const { name, generateName: base = '' } = object.metadata
  const generated = !name && base !== '' ? { name: generateName(base, random) } : {}
  const metadata: ObjectMeta = {
    ...object.metadata,
    ...generated,
    uid: randomUuid(random),
    creationTimestamp: formatTime(nowMs),
  }
  return { ...object, metadata }
}
