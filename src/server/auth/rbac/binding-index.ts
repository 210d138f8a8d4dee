/** Bindings by the users and groups they name, so that only those that concern a caller are looked at. */

import type { RoleRef, Subject } from '../../../apis/rbac/types.gen.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { UserInfo } from '../../../machinery/wire/message.ts'

export interface Binding extends KubeObject {
  readonly roleRef: RoleRef
  readonly subjects?: readonly Subject[] | undefined
}

/** A binding that applies to a user, by the first of its subjects that does. */
export interface Applied {
  readonly binding: Binding
  readonly subject: Subject
}

interface Place extends Applied {
  /** Of the binding among all, and of the subject in the binding. */
  readonly order: number
  readonly position: number
}

export class BindingIndex {
  readonly #users = new Map<string, Place[]>()
  readonly #groups = new Map<string, Place[]>()

  constructor(bindings: readonly Binding[]) {
    for (const [order, binding] of bindings.entries())
      for (const [position, subject] of (binding.subjects ?? []).entries())
        this.#add(subject, { binding, subject, order, position })
  }

  /** In the order of the bindings, each once. */
  appliedTo({ name, groups }: UserInfo): readonly Applied[] {
    const found = [...(this.#users.get(name) ?? []), ...groups.flatMap((group) => this.#groups.get(group) ?? [])]
    found.sort((left, right) => left.order - right.order || left.position - right.position)
    return found.filter((place, index) => found[index - 1]?.order !== place.order)
  }

  #add(subject: Subject, place: Place): void {
    if (subject.kind === 'Group') append(this.#groups, subject.name, place)
    else if (subject.kind === 'User') append(this.#users, subject.name, place)
    else if (subject.kind === 'ServiceAccount') {
      const namespace = subject.namespace || place.binding.metadata.namespace
      if (namespace) append(this.#users, `system:serviceaccount:${namespace}:${subject.name}`, place)
    }
  }
}

function append(index: Map<string, Place[]>, key: string, place: Place): void {
  const list = index.get(key)
  if (list) list.push(place)
  else index.set(key, [place])
}

/** `ClusterRoleBinding "a" of ClusterRole "b" to Group "c"`: how upstream names the source of a right. */
export function describeGrant({ binding, subject }: Applied): string {
  const { name = '', namespace = '' } = binding.metadata
  const { kind, name: role } = binding.roleRef
  const source =
    namespace === ''
      ? `ClusterRoleBinding ${JSON.stringify(name)}`
      : `RoleBinding ${JSON.stringify(`${name}/${namespace}`)}`
  return `${source} of ${kind} ${JSON.stringify(role)} to ${describeSubject(subject, namespace)}`
}

function describeSubject({ kind, name, namespace }: Subject, bindingNamespace: string): string {
  const text = kind === 'ServiceAccount' ? `${name}/${namespace || bindingNamespace}` : name
  return `${kind} ${JSON.stringify(text)}`
}
