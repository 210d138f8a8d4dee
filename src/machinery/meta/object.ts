/** What every object of the API has. Objects are values: readonly in types, frozen when they come from a cache. */

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean | undefined
  readonly blockOwnerDeletion?: boolean | undefined
}

export interface ManagedFieldsEntry {
  readonly manager?: string | undefined
  readonly operation?: string | undefined
  readonly apiVersion?: string | undefined
  readonly time?: string | undefined
  readonly fieldsType?: string | undefined
  readonly fieldsV1?: Readonly<Record<string, unknown>> | undefined
  readonly subresource?: string | undefined
}

export interface ObjectMeta {
  readonly name?: string | undefined
  readonly generateName?: string | undefined
  readonly namespace?: string | undefined
  readonly selfLink?: string | undefined
  readonly uid?: string | undefined
  readonly resourceVersion?: string | undefined
  readonly generation?: number | undefined
  /** RFC 3339, whole seconds, UTC. */
  readonly creationTimestamp?: string | null | undefined
  readonly deletionTimestamp?: string | null | undefined
  readonly deletionGracePeriodSeconds?: number | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
  readonly ownerReferences?: readonly OwnerReference[] | undefined
  readonly finalizers?: readonly string[] | undefined
  readonly managedFields?: readonly ManagedFieldsEntry[] | undefined
}

export interface ListMeta {
  readonly selfLink?: string | undefined
  readonly resourceVersion?: string | undefined
  readonly continue?: string | undefined
  readonly remainingItemCount?: number | undefined
}

export interface KubeObject {
  readonly apiVersion?: string | undefined
  readonly kind?: string | undefined
  readonly metadata: ObjectMeta
}

export interface KubeList<T extends KubeObject = KubeObject> {
  readonly apiVersion?: string | undefined
  readonly kind?: string | undefined
  readonly metadata: ListMeta
  readonly items: readonly T[]
}

/** An object's place among those of its resource. `namespace` is absent for cluster-scoped resources. */
export interface ObjectKey {
  readonly namespace?: string | undefined
  readonly name: string
}

export function keyOf(object: KubeObject): ObjectKey {
  return { namespace: object.metadata.namespace, name: object.metadata.name ?? '' }
}

/** `namespace/name`, or `name` for cluster-scoped objects: the text form used in queues, maps and logs. */
export function keyText({ namespace, name }: ObjectKey): string {
  return namespace ? `${namespace}/${name}` : name
}

export function parseKeyText(text: string): ObjectKey {
  const slash = text.indexOf('/')
  return slash < 0 ? { name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) }
}
