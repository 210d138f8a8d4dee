/**
 * Who owns whom, of every object in the cluster: no more than names, owner references and the two finalizers that
 * matter. Dependents are found by the uid they name, whether or not such an owner was ever seen:
 *
 *   put(pod a, owner 7) → dependentsOf(7) = [a], get(7) = undefined
 *   put(set 7)          → dependentsOf(7) = [a], get(7) = set 7
 */

import type { ServedResource } from '../../client/discovery.ts'
import {
  FOREGROUND_FINALIZER,
  hasFinalizer,
  isBeingDeleted,
  ORPHAN_FINALIZER,
} from '../../machinery/meta/finalizers.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import type { KubeObject, OwnerReference } from '../../machinery/meta/object.ts'

export interface GraphNode {
  readonly uid: string
  readonly resource: ServedResource
  readonly namespace: string | undefined
  readonly name: string
  readonly owners: readonly OwnerReference[]
  /** What its deletion waits for. */
  readonly deletion: Deletion
}

/** `foreground`: until its blocking dependents are gone; `orphan`: until its dependents have forgotten it. */
export type Deletion = 'none' | 'plain' | 'foreground' | 'orphan'

/** One for all that have none: as many as there are objects. */
const UNOWNED: readonly OwnerReference[] = []

export function graphNode(resource: ServedResource, object: KubeObject): GraphNode {
  const { uid = '', namespace, name = '', ownerReferences: owners = UNOWNED } = object.metadata
  return { uid, resource, namespace, name, owners, deletion: deletionOf(object) }
}

function deletionOf(object: KubeObject): Deletion {
  if (!isBeingDeleted(object)) return 'none'
  if (hasFinalizer(object, ORPHAN_FINALIZER)) return 'orphan'
  return hasFinalizer(object, FOREGROUND_FINALIZER) ? 'foreground' : 'plain'
}

export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>()
  /** Owner's uid → uids of its dependents. */
  readonly #dependents = new Map<string, Set<string>>()

  get size(): number {
    return this.#nodes.size
  }

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid)
  }

  dependentsOf(uid: string): readonly GraphNode[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#nodes.get(dependent) ?? [])
  }

  hasDependents(uid: string): boolean {
    return this.#dependents.has(uid)
  }

  /** Answers with what was there before. */
  put(node: GraphNode): GraphNode | undefined {
    const previous = this.#nodes.get(node.uid)
    if (previous) this.#unlink(previous)
    this.#nodes.set(node.uid, node)
    for (const { uid } of node.owners) {
      const dependents = this.#dependents.get(uid)
      if (dependents) dependents.add(node.uid)
      else this.#dependents.set(uid, new Set([node.uid]))
    }
    return previous
  }

  /** Those who name it as their owner stay its dependents. */
  remove(uid: string): GraphNode | undefined {
    const node = this.#nodes.get(uid)
    if (!node) return undefined
    this.#unlink(node)
    this.#nodes.delete(uid)
    return node
  }

  #unlink({ uid: dependent, owners }: GraphNode): void {
    for (const { uid } of owners) {
      const dependents = this.#dependents.get(uid)
      dependents?.delete(dependent)
      if (dependents?.size === 0) this.#dependents.delete(uid)
    }
  }
}

/** Whether the reference names this very object: kind and name as well as the uid, from a namespace that may. */
export function refersTo(reference: OwnerReference, dependent: GraphNode, owner: GraphNode): boolean {
  return (
    reference.uid === owner.uid &&
    reference.name === owner.name &&
    reference.kind === owner.resource.kind &&
    reference.apiVersion === apiVersionOf(owner.resource) &&
    mayOwn(owner, dependent)
  )
}

/** Owners are of the same namespace, or of none. */
export function mayOwn(owner: GraphNode, dependent: GraphNode): boolean {
  return owner.namespace === undefined || owner.namespace === dependent.namespace
}
