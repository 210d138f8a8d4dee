/** One request on its way through a handler: what it asks for, of which registry, and how it wants to be answered. */

import { assert } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { KubeObject, ObjectKey } from '../../machinery/meta/object.ts'
import { canonical } from '../../machinery/schema/canonical.ts'
import type { ApiRequest, UserInfo } from '../../machinery/wire/message.ts'
import type { Registry } from '../registry/registry.ts'
import type { View } from './view.ts'

export interface ResourceTarget {
  readonly verb: string
  /** Empty for cluster-scoped resources and for requests over all namespaces. */
  readonly namespace: string
  /** Empty for collections. */
  readonly name: string
  readonly subresource: string
}

export interface Exchange<T extends KubeObject = KubeObject> {
  readonly request: ApiRequest
  readonly target: ResourceTarget
  readonly registry: Registry<T>
  /** The part of the object that is read and written: the main resource, its status, its scale. */
  readonly view: View<T>
  readonly clock: Clock
  readonly random: Random
}

export function keyOfTarget({ registry, target }: Exchange): ObjectKey {
  return registry.definition.scope === 'Namespaced'
    ? { namespace: target.namespace, name: target.name }
    : { name: target.name }
}

export function userOf({ user }: ApiRequest): UserInfo {
  assert(user !== undefined, 'requests are authenticated before they are handled')
  return user
}

/** Tells the audit log what was sent, as it is understood: with defaults, in the form of its schema. */
export function auditSent({ request, registry, view }: Exchange, sent: KubeObject): void {
  const { definition } = registry
  request.audit?.sent(sent, () => {
    const object = canonical(sent, view.kind.schema)
    return view.whole ? canonical(definition.default(object), definition.schema) : object
  })
}

export function warnTo({ warn }: ApiRequest): (text: string) => void {
  return warn ?? (() => {})
}
