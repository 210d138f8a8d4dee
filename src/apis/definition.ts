/**
 * What a resource is, as one value: names, scope, schema, strategy, subresources, columns. Built-in and
 * custom resources are the same type; nothing downstream asks where a definition came from.
 *
 * Every function here is pure: objects in, objects or findings out. They get frozen objects and return new
 * ones. Order on the write path: `server/registry/write.ts`.
 */

import type { FieldError } from '../machinery/meta/field-error.ts'
import type { KubeObject } from '../machinery/meta/object.ts'
import type { Schema } from '../machinery/schema/schema.ts'
import type { UserInfo } from '../machinery/wire/message.ts'

export type Scope = 'Cluster' | 'Namespaced'

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch'

export const ALL_VERBS: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
]

export type Cell = string | number | boolean | null
/** A cell that changes while its object stays: an age. It holds on to what it needs of the object only. */
export type TimedCell = (nowMs: number) => Cell

export interface Column<T extends KubeObject = KubeObject> {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly format?: string | undefined
  /** 0 is always shown, 1 only with `-o wide`. */
  readonly priority?: number | undefined
  readonly description?: string | undefined
  /** A date column's cell is upstream's human duration. */
  value(object: T): Cell | TimedCell
}

export interface WriteContext {
  readonly user: UserInfo
  readonly nowMs: number
}

/** What a main resource or one of its object-shaped subresources decides about a write. */
export interface Strategy<T extends KubeObject = KubeObject> {
  /** Drops what clients may not set, sets what creation implies. Metadata common to all objects is the registry's. */
  prepareForCreate(object: T, context: WriteContext): T
  /** Restores what this endpoint may not change; bumps `metadata.generation` where the resource does. */
  prepareForUpdate(object: T, previous: T, context: WriteContext): T
  /** Everything but metadata, which the registry checks with `nameRule`. Never throws. */
  validate(object: T): readonly FieldError[]
  /** What an update must also satisfy: immutable fields and transitions. `validate` has run before. */
  validateUpdate(object: T, previous: T): readonly FieldError[]
  /** Texts for the `Warning` header. */
  warnings(object: T, previous: T | undefined): readonly string[]
}

export type UpdateStrategy<T extends KubeObject = KubeObject> = Pick<Strategy<T>, 'prepareForUpdate' | 'validateUpdate'>

/** How `/scale` reads and writes an object. */
export interface ScaleAccess<T extends KubeObject = KubeObject> {
  replicas(object: T): number
  statusReplicas(object: T): number
  /** A label selector in text form. */
  selector(object: T): string
  withReplicas(object: T, replicas: number): T
}

export type PropagationPolicy = 'Orphan' | 'Background' | 'Foreground'

export interface DeletionRules<T extends KubeObject = KubeObject> {
  /** Seconds of grace for this object, before the request's own wish; absent: the resource is deleted at once. */
  graceSeconds?(object: T): number
  /** Whether something besides metadata.finalizers keeps a deleted object: a namespace's spec.finalizers. */
  isHeld?(object: T): boolean
  /** What else changes when deletion begins: a namespace's phase becomes Terminating. */
  markDeleting?(object: T): T
  /** Said to who names no policy, where the usual one is not what most expect. */
  readonly warning?: string | undefined
  /** What happens to dependents when the request names no policy. */
  readonly propagation: PropagationPolicy
  /** `object`: a completed delete answers with the object instead of a Status. */
  readonly returns: 'object' | 'status'
}

export interface Conversion<T extends KubeObject = KubeObject> {
  fromStored(object: KubeObject): T
  toStored?(object: T): KubeObject
}

/** Fields that an endpoint ignores, as paths of field names; they are dropped from managedFields. */
export type ResetFields = readonly (readonly string[])[]

export interface ResourceDefinition<T extends KubeObject = KubeObject> extends Strategy<T> {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly listKind: string
  /** The plural name in paths: `deployments`. */
  readonly resource: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly scope: Scope
  readonly verbs: readonly Verb[]
  readonly schema: Schema
  /**
   * Names version and schema in stored bytes: what was stored under this very stamp is served as it is, anything else
   * goes through `conversion`. Custom resources have one, and so strict media types: no strategic merge, no protobuf.
   */
  readonly schemaStamp?: string | undefined
  /** The version that objects are stored in, where that is another one or decided by the user. */
  readonly storageVersion?: string | undefined
  /** The group, resource and kind that objects are stored under where that is another one: events.k8s.io events are core events. */
  readonly storedAs?: { readonly group: string; readonly resource: string } | undefined
  /** Between the stored form and this one, where they differ. Without `toStored` objects are stored as they are. */
  readonly conversion?: Conversion<T> | undefined
  /** A new object, with what many have alike replaced by the one value that they share. Absent: there is no such part. */
  share?(object: T): T
  /** Fills in defaults; idempotent. */
  default(object: T): T
  /** What only new objects must satisfy, besides `validate`. */
  validateCreate?(object: T): readonly FieldError[]
  /** Errors of a name, in upstream's words; `prefix` is true for a generateName. */
  nameRule(name: string, prefix: boolean): readonly string[]
  /** Whether `validateUpdate` is all that an update must satisfy: it knows what may stay as it was, `validate` is not asked. */
  readonly ratchets?: boolean | undefined
  /** The text of the `Warning` header that every request gets. */
  readonly deprecationWarning?: string | undefined
  readonly createOnUpdate: boolean
  /** Whether an update without a resourceVersion is taken. */
  readonly unconditionalUpdate: boolean
  readonly deletion: DeletionRules<T>
  readonly status?: UpdateStrategy<T> | undefined
  readonly scale?: ScaleAccess<T> | undefined
  /** Names of further subresources; their handlers are the server's, by resource and name. */
  readonly subresources: readonly string[]
  /** How those of them that show the whole object and write some of it do so: a certificate request's approval. */
  readonly parts?: Readonly<Record<string, UpdateStrategy<T>>> | undefined
  readonly resetFields: Readonly<Record<string, ResetFields>>
  readonly columns: readonly Column<T>[]
  /** The order of a table's rows. Absent: that of lists. */
  tableOrder?(left: T, right: T): number
  /** Values for field selectors besides metadata.name and metadata.namespace, by label. */
  fields(object: T): Readonly<Record<string, string>>
  /** Every label a field selector may name, metadata's included. */
  readonly fieldLabels: readonly string[]
  /** Labels that are other spellings: pods' `spec.host` → `spec.nodeName`. */
  readonly fieldAliases: Readonly<Record<string, string>>
}
