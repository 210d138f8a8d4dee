/**
 * What the registry lets others decide about a write: the policy of the cluster (`server/admission`) and what must
 * be reserved for an object before it is written (`allocators`). The registry runs them; it implements none.
 */

import type { ResourceDefinition } from '../../apis/definition.ts'
import type { Awaitable } from '../../base/awaitable.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import type { AuditTrail, UserInfo } from '../../machinery/wire/message.ts'

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

export interface AdmissionAttributes {
  readonly operation: AdmissionOperation
  readonly definition: ResourceDefinition
  /** Empty for the main resource. */
  readonly subresource: string
  /** Empty for cluster-scoped resources. */
  readonly namespace: string
  /** Empty while a generated name is still to be made. */
  readonly name: string
  /** Undefined for DELETE; the options object for CONNECT; the posted object for subresources that take another kind. */
  readonly object: KubeObject | undefined
  /** Undefined for CREATE and CONNECT. */
  readonly previous: KubeObject | undefined
  readonly user: UserInfo
  readonly dryRun: boolean
  /** The CreateOptions, UpdateOptions, PatchOptions or DeleteOptions of the request. */
  readonly options: Readonly<Record<string, unknown>>
  readonly signal?: AbortSignal | undefined
  /** Adds a text to the `Warning` headers of the answer. */
  warn(text: string): void
  /** Takes what the audit log is to say of the decision. Absent: it is not logged. */
  readonly audit?: AuditTrail | undefined
}

export interface AdmissionHooks {
  /** The object as the plugins want it. Throws `ApiError` to refuse. */
  mutate(attributes: AdmissionAttributes, object: KubeObject): Awaitable<KubeObject>
  /** Throws `ApiError` to refuse. */
  validate(attributes: AdmissionAttributes): Awaitable<void>
  /**
   * The last word: does the write, together with what must be written with it. `write` rejects with
   * `CompanionOutrun` when a companion has changed meanwhile; nothing is written then, and it may be called again.
   */
  persist<Result>(attributes: AdmissionAttributes, write: Write<Result>): Awaitable<Result>
}

export type Write<Result> = (companions: readonly Companion[]) => Promise<Result>

/** Another object that is replaced in the same transaction, all or nothing: a quota that is charged. */
export interface Companion {
  readonly key: string
  /** The revision that is replaced. */
  readonly expected: number
  readonly value: Uint8Array
}

export class CompanionOutrun extends Error {
  override readonly name = 'CompanionOutrun'
}

/** Something taken for an object that is about to be written: a Service's addresses and ports. */
export interface Reservation<T extends KubeObject> {
  /** The object with what was reserved for it. */
  readonly object: T
  /** The write is durable: release what the previous object had and this one has no more. */
  commit(): void
  /** The write did not happen: give everything back. Without effect after `commit`. */
  release(): void
}

export interface Reservations<T extends KubeObject = KubeObject> {
  /** Throws `ApiError` when something asked for cannot be had. A dry run takes nothing and still answers with values. */
  reserve(object: T, previous: T | undefined, dryRun: boolean): Promise<Reservation<T>>
  /** The object is gone: release what it had. */
  removed(object: T): void
}
