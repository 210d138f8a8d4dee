/** Who is asked about: everybody that the roles of a fresh cluster know, and some that they do not. */

import { readFactsFile } from '../../../openapi/facts.ts'

export interface Subject {
  readonly user: string
  readonly groups: readonly string[]
}

const AUTHENTICATED = 'system:authenticated'
const CONTROLLER_ROLE = 'system:controller:'

/** The namespace in which accounts are bound to roles for this comparison. */
export const ACCESS_NAMESPACE = 'access'
/** What the roles for people are put together from, as no controller does that here. */
export const PEOPLE_ROLES = [
  'system:aggregate-to-view',
  'system:aggregate-to-edit',
  'system:aggregate-to-admin',
] as const

export function account(namespace: string, name: string): Subject {
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, AUTHENTICATED]
  return { user: `system:serviceaccount:${namespace}:${name}`, groups }
}

/** The account that is bound to the role in the namespace. */
export function accountOf(role: string): string {
  return role.slice(role.lastIndexOf('-') + 1)
}

export function subjects(): readonly Subject[] {
  const roles = (readFactsFile('bootstrap.json') as { clusterRoles: readonly { name: string }[] }).clusterRoles
  const controllers = roles.filter(({ name }) => name.startsWith(CONTROLLER_ROLE))
  return [
    { user: 'system:anonymous', groups: ['system:unauthenticated'] },
    { user: 'jane', groups: [AUTHENTICATED] },
    { user: 'jane', groups: [] },
    { user: 'root', groups: ['system:masters', AUTHENTICATED] },
    { user: 'system:kube-scheduler', groups: [AUTHENTICATED] },
    { user: 'system:kube-controller-manager', groups: [AUTHENTICATED] },
    { user: 'system:kube-proxy', groups: [AUTHENTICATED] },
    { user: 'watcher', groups: ['system:monitoring', AUTHENTICATED] },
    { user: 'system:bootstrap:abcdef', groups: ['system:bootstrappers', AUTHENTICATED] },
    { user: 'system:node:node-1', groups: ['system:nodes', AUTHENTICATED] },
    { user: 'system:node:node-1', groups: [AUTHENTICATED] },
    { user: 'node-1', groups: ['system:nodes', AUTHENTICATED] },
    account('kube-system', 'kube-dns'),
    account('default', 'default'),
    ...PEOPLE_ROLES.map((role) => account(ACCESS_NAMESPACE, accountOf(role))),
    ...controllers.map(({ name }) => account('kube-system', name.slice(CONTROLLER_ROLE.length))),
  ]
}
