/**
 * Which rules a user has, and from which bindings, kept in memory between the changes of roles and bindings. Cluster
 * role bindings are indexed together, role bindings by namespace when somebody asks about it.
 */

import type { PolicyRule, RoleRef } from '../../../apis/rbac/types.gen.ts'
import { LruMap } from '../../../base/lru.ts'
import type { UserInfo } from '../../../machinery/wire/message.ts'
import { type Applied, BindingIndex } from './binding-index.ts'
import type { RoleSource } from './role-source.ts'

/** The rules of one binding. */
export interface Grant extends Applied {
  readonly rules: readonly PolicyRule[]
}

export interface Grants {
  /** Cluster-wide ones first. */
  readonly grants: readonly Grant[]
  /** Bindings whose roles are missing. */
  readonly errors: readonly string[]
}

/** Users (in a namespace) whose rules are remembered: a few hundred bytes each. */
const REMEMBERED_USERS_MAX = 4_096
/** Namespaces whose bindings are indexed. */
const INDEXED_NAMESPACES_MAX = 1_024

const NONE: Grants = { grants: [], errors: [] }

export class RoleRules {
  readonly #source: RoleSource
  #seen = { roles: -1, roleBindings: -1, clusterRoles: -1, clusterRoleBindings: -1 }
  #cluster = new BindingIndex([])
  #namespaces = new LruMap<string, BindingIndex>(INDEXED_NAMESPACES_MAX)
  #users = new LruMap<string, Grants>(REMEMBERED_USERS_MAX)

  constructor(source: RoleSource) {
    this.#source = source
  }

  /** What memory says now. `namespace` may be empty. */
  grantsOf(user: UserInfo, namespace: string): Grants {
    this.#forgetOld()
    const wide = this.#remembered(user, '')
    if (namespace === '') return wide
    const local = this.#remembered(user, namespace)
    if (local === NONE) return wide
    return { grants: [...wide.grants, ...local.grants], errors: [...wide.errors, ...local.errors] }
  }

  /** Undefined: there is no such role. */
  rulesOfRole({ kind, name }: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    const role = kind === 'ClusterRole' ? this.#source.clusterRole(name) : this.#source.role(namespace, name)
    return role && (role.rules ?? [])
  }

  #remembered(user: UserInfo, namespace: string): Grants {
    const key = JSON.stringify([namespace, user.name, user.groups])
    const known = this.#users.get(key)
    if (known) return known
    const found = this.#resolve(this.#indexOf(namespace).appliedTo(user), namespace)
    this.#users.set(key, found)
    return found
  }

  #resolve(applied: readonly Applied[], namespace: string): Grants {
    if (applied.length === 0) return NONE
    const grants: Grant[] = []
    const errors: string[] = []
    for (const one of applied) {
      const { roleRef } = one.binding
      const rules = this.rulesOfRole(roleRef, namespace)
      if (rules) grants.push({ ...one, rules })
      else errors.push(missingRoleText(roleRef))
    }
    return { grants, errors }
  }

  #indexOf(namespace: string): BindingIndex {
    if (namespace === '') return this.#cluster
    const known = this.#namespaces.get(namespace)
    if (known) return known
    const index = new BindingIndex(this.#source.roleBindings(namespace))
    this.#namespaces.set(namespace, index)
    return index
  }

  #forgetOld(): void {
    const { roles, roleBindings, clusterRoles, clusterRoleBindings } = this.#source.changedAt
    const seen = this.#seen
    const bindings = roleBindings === seen.roleBindings
    const clusterBindings = clusterRoleBindings === seen.clusterRoleBindings
    if (bindings && clusterBindings && roles === seen.roles && clusterRoles === seen.clusterRoles) return
    this.#seen = { roles, roleBindings, clusterRoles, clusterRoleBindings }
    if (!clusterBindings) this.#cluster = new BindingIndex(this.#source.clusterRoleBindings())
    if (!bindings) this.#namespaces = new LruMap(INDEXED_NAMESPACES_MAX)
    this.#users = new LruMap(REMEMBERED_USERS_MAX)
  }
}

/** As upstream's lister says it, which calls the resource by its singular. */
export function missingRoleText({ kind, name }: RoleRef): string {
  return `${kind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(name)} not found`
}
