/** What every verb of one resource works with, and what a caller may ask of a write. */

import type { ResourceDefinition } from '../../apis/definition.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { KubeObject, ObjectKey } from '../../machinery/meta/object.ts'
import type { AuditTrail, Cause, UserInfo } from '../../machinery/wire/message.ts'
import type { Storage } from '../../storage/storage.ts'
import type { WatchCache } from '../../watch/watch-cache.ts'
import type { AdmissionAttributes, AdmissionHooks, AdmissionOperation, Reservations } from './admission-hooks.ts'
import type { RegistryCodec, Stored } from './codec.ts'
import { storageKey } from './object-key.ts'

export interface RegistryContext<T extends KubeObject> {
  readonly definition: ResourceDefinition<T>
  readonly codec: RegistryCodec<T>
  readonly storage: Storage
  readonly cache: WatchCache
  readonly clock: Clock
  readonly random: Random
  readonly admission: AdmissionHooks
  readonly reservations: Reservations<T> | undefined
}

export interface WriteOptions {
  readonly user: UserInfo
  /** Everything happens but the write. */
  readonly dryRun: boolean
  /** Who is recorded in managedFields. */
  readonly fieldManager: string
  /** The options of the request as admission sees them. */
  readonly options: Readonly<Record<string, unknown>>
  readonly cause?: Cause | undefined
  readonly signal?: AbortSignal | undefined
  /** Adds a text to the `Warning` headers of the answer. */
  warn(text: string): void
  /** Takes what the audit log is to say of the write. Absent: it is not logged. */
  readonly audit?: AuditTrail | undefined
}

/** A write of the server itself; `by` is the part of it that acts. */
export function ownWrites(by: string): WriteOptions {
  return {
    user: { name: 'system:apiserver', groups: ['system:masters'] },
    dryRun: false,
    fieldManager: 'kube-apiserver',
    options: {},
    cause: { by },
    warn: () => {},
  }
}

/** The newest state of an object: nothing that was acknowledged before the call is missing from it. */
export async function current<T extends KubeObject>(
  context: RegistryContext<T>,
  key: ObjectKey,
  signal?: AbortSignal,
): Promise<Stored<T> | undefined> {
  if (!context.cache.isFresh) await freshened(context, signal)
  return known(context, key)
}

/** Resolves when memory has everything that was acknowledged before the call. */
export function freshened<T extends KubeObject>(
  { cache, storage }: RegistryContext<T>,
  signal?: AbortSignal,
): Promise<void> {
  return cache.caughtUpTo(storage.head, signal)
}

/** The state of an object that memory has. */
export function known<T extends KubeObject>(
  { cache, codec, definition }: RegistryContext<T>,
  key: ObjectKey,
): Stored<T> | undefined {
  const found = cache.get(storageKey(definition, key))
  return found && codec.typed(found)
}

export function admissionAttributes<T extends KubeObject>(
  { definition }: RegistryContext<T>,
  subject: {
    readonly operation: AdmissionOperation
    readonly key: ObjectKey
    readonly subresource?: string | undefined
    readonly object?: KubeObject | undefined
    readonly previous?: KubeObject | undefined
  },
  { user, dryRun, options, signal, warn, audit }: WriteOptions,
): AdmissionAttributes {
  return {
    operation: subject.operation,
    definition,
    subresource: subject.subresource ?? '',
    namespace: subject.key.namespace ?? '',
    name: subject.key.name,
    object: subject.object,
    previous: subject.previous,
    user,
    dryRun,
    options,
    signal,
    warn,
    audit,
  }
}

/** For a DELETE. Few plugins look at what is deleted: it is parsed for the first one that does. */
export class DeletionAttributes<T extends KubeObject> implements AdmissionAttributes {
  readonly operation = 'DELETE'
  readonly subresource = ''
  readonly object = undefined
  readonly definition: ResourceDefinition
  readonly namespace: string
  readonly name: string
  readonly user: UserInfo
  readonly dryRun: boolean
  readonly options: Readonly<Record<string, unknown>>
  readonly signal: AbortSignal | undefined
  readonly audit: AuditTrail | undefined
  readonly warn: (text: string) => void
  readonly #live: Stored<T>

  constructor({ definition }: RegistryContext<T>, live: Stored<T>, options: WriteOptions) {
    this.definition = definition
    this.namespace = live.namespace
    this.name = live.name
    this.user = options.user
    this.dryRun = options.dryRun
    this.options = options.options
    this.signal = options.signal
    this.audit = options.audit
    this.warn = options.warn
    this.#live = live
  }

  get previous(): KubeObject {
    return this.#live.object()
  }
}
