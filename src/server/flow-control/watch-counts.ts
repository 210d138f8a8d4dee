/**
 * How many watches over the wire a write would be told to: each of them costs an encoding and a send after the write
 * has been answered. Watches inside this process share the parsed object and are not counted.
 */

import type { RequestTarget } from '../auth/authorizer.ts'

type ResourceTarget = Extract<RequestTarget, { readonly type: 'resource' }>

export class WatchCounts {
  readonly #counts = new Map<string, number>()

  /** Until the signal aborts. */
  count(target: ResourceTarget, signal: AbortSignal): void {
    // Of the watches on one node's pods, a write concerns one: they stand for themselves and are not counted.
    if (signal.aborted || selectsNode(target)) return
    const { namespace, name } = target
    const key = keyOf(target, namespace, name)
    this.#add(key, 1)
    signal.addEventListener('abort', () => this.#add(key, -1), { once: true })
  }

  /** For the whole resource, for the namespace, and for this one object. */
  interestedIn(target: ResourceTarget): number {
    if (this.#counts.size === 0) return 0
    const { namespace, name } = target
    const places = new Set([
      keyOf(target, '', ''),
      ...(namespace === '' ? [] : [keyOf(target, namespace, '')]),
      ...(name === '' ? [] : [keyOf(target, namespace, name)]),
    ])
    return [...places].reduce((sum, key) => sum + (this.#counts.get(key) ?? 0), 0)
  }

  #add(key: string, by: 1 | -1): void {
    const count = (this.#counts.get(key) ?? 0) + by
    if (count === 0) this.#counts.delete(key)
    else this.#counts.set(key, count)
  }
}

/** No part can have a slash in it: a request that has is none for a resource. */
function keyOf({ group, resource }: ResourceTarget, namespace: string, name: string): string {
  return `${group}/${resource}/${namespace}/${name}`
}

function selectsNode({ group, resource, fieldSelector = '' }: ResourceTarget): boolean {
  return group === '' && resource === 'pods' && /(?:^|,)spec\.nodeName==?[^,=!]/.test(fieldSelector)
}
