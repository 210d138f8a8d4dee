/** The roles and bindings that every cluster begins with, as objects. What they say is upstream's. */

import { RBAC_GROUP } from '../../../apis/rbac/policy-rule.ts'
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  Subject,
} from '../../../apis/rbac/types.gen.ts'
import { assert } from '../../../base/assert.ts'
import type { ObjectMeta } from '../../../machinery/meta/object.ts'
import {
  type BindingFacts,
  clusterRoleBindingFacts,
  clusterRoleFacts,
  type RoleFacts,
  roleBindingFacts,
  roleFacts,
} from './role-facts.gen.ts'

/** `false` on a role or binding keeps it from being put right when a server starts. */
export const AUTOUPDATE_ANNOTATION = 'rbac.authorization.kubernetes.io/autoupdate'
const LABELS = { 'kubernetes.io/bootstrapping': 'rbac-defaults' }
const ANNOTATIONS = { [AUTOUPDATE_ANNOTATION]: 'true' }

export interface BootstrapRoles {
  readonly clusterRoles: readonly ClusterRole[]
  readonly roles: readonly Role[]
  readonly clusterRoleBindings: readonly ClusterRoleBinding[]
  readonly roleBindings: readonly RoleBinding[]
}

export function bootstrapRoles(): BootstrapRoles {
  return {
    clusterRoles: clusterRoleFacts.map(clusterRoleOf),
    roles: roleFacts.map((facts) => ({ metadata: metadataOf(facts), rules: facts.rules?.map(ruleOf) ?? [] })),
    clusterRoleBindings: clusterRoleBindingFacts.map(bindingOf),
    roleBindings: roleBindingFacts.map(bindingOf),
  }
}

/** What a node may do with its own objects and whatever all nodes need: the rules of the role `system:node`. */
export function nodeRules(): readonly PolicyRule[] {
  const facts = clusterRoleFacts.find(({ name }) => name === 'system:node')
  assert(facts?.rules, 'the facts have the role of nodes')
  return facts.rules.map(ruleOf)
}

function metadataOf({ ns, name, labels }: Pick<RoleFacts, 'ns' | 'name' | 'labels'>): ObjectMeta {
  const named = ns === undefined ? { name } : { name, namespace: ns }
  return { ...named, labels: { ...LABELS, ...labels }, annotations: ANNOTATIONS }
}

function clusterRoleOf(facts: RoleFacts): ClusterRole {
  const selectors = facts.aggregate?.map((matchLabels) => ({ matchLabels }))
  return {
    metadata: metadataOf(facts),
    rules: facts.rules?.map(ruleOf) ?? null,
    ...(selectors && { aggregationRule: { clusterRoleSelectors: selectors } }),
  }
}

/** `get,list | pods,pods/log @core,apps | names web`, or `get | URL /livez,/readyz`. */
function ruleOf(text: string): PolicyRule {
  const [verbs = '', what = '', names] = text.split(' | ')
  if (what.startsWith('URL ')) return { verbs: listOf(verbs), nonResourceURLs: listOf(what.slice('URL '.length)) }
  const [resources = '', groups = ''] = what.split(' @')
  return {
    verbs: listOf(verbs),
    apiGroups: listOf(groups).map((group) => (group === 'core' ? '' : group)),
    resources: listOf(resources),
    ...(names !== undefined && { resourceNames: listOf(names.slice('names '.length)) }),
  }
}

const listOf = (text: string): readonly string[] => text.split(',')

function bindingOf(facts: BindingFacts): RoleBinding {
  const [kind, name] = facts.role.startsWith('Role/')
    ? ['Role', facts.role.slice('Role/'.length)]
    : ['ClusterRole', facts.role]
  const subjects = facts.subjects.map(subjectOf)
  return {
    metadata: metadataOf(facts),
    ...(subjects.length > 0 && { subjects }),
    roleRef: { apiGroup: RBAC_GROUP, kind, name },
  }
}

function subjectOf(text: string): Subject {
  const colon = text.indexOf(':')
  const name = text.slice(colon + 1)
  switch (text.slice(0, colon)) {
    case 'user':
      return { kind: 'User', apiGroup: RBAC_GROUP, name }
    case 'group':
      return { kind: 'Group', apiGroup: RBAC_GROUP, name }
    default: {
      const [namespace, account = ''] = name.split('/')
      return { kind: 'ServiceAccount', name: account, namespace }
    }
  }
}
