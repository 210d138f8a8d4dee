/**
 * As whom the parts of this process speak to the API. Each has the rights that the bootstrap roles give it and no more;
 * only what upstream runs inside its API server has all.
 */

import type { UserInfo } from '../machinery/wire/message.ts'
import { AUTHENTICATED_GROUP } from '../server/auth/authenticator.ts'
import { bootstrapRoles } from '../server/auth/rbac/bootstrap-roles.ts'
import { serviceAccountGroups, serviceAccountName } from '../server/auth/service-account-token.ts'
import { KUBERNETES_VERSION } from './version.ts'

/** The API server itself. */
export const SYSTEM: UserInfo = { name: 'system:apiserver', groups: ['system:masters', AUTHENTICATED_GROUP] }
/** What the controllers share: their view of the cluster. */
export const CONTROLLER_MANAGER: UserInfo = {
  name: 'system:kube-controller-manager',
  groups: [AUTHENTICATED_GROUP],
}
export const SCHEDULER: UserInfo = { name: 'system:kube-scheduler', groups: [AUTHENTICATED_GROUP] }

export const NODES_GROUP = 'system:nodes'

export function nodeIdentity(nodeName: string): UserInfo {
  return { name: `system:node:${nodeName}`, groups: [NODES_GROUP, AUTHENTICATED_GROUP] }
}

/**
 * What a part calls itself: first the program that it is a part of upstream. That name stands in the managedFields of
 * all that it writes, where tools that leave a controller's fields alone look for it.
 */
export function userAgentOf(user: UserInfo): string {
  return `${programOf(user)}/${KUBERNETES_VERSION} t8s/${user.name}`
}

function programOf({ name, groups }: UserInfo): string {
  if (name === SYSTEM.name) return 'kube-apiserver'
  if (name === SCHEDULER.name) return 'kube-scheduler'
  return groups?.includes(NODES_GROUP) ? 'kubelet' : 'kube-controller-manager'
}

const NAMESPACE = 'kube-system'

/** Controllers whose service account has another name than they, as it is upstream. */
const ACCOUNTS: Readonly<Record<string, string>> = {
  'certificatesigningrequest-approving-controller': 'certificate-controller',
  'certificatesigningrequest-cleaner-controller': 'certificate-controller',
  'certificatesigningrequest-signing-controller': 'certificate-controller',
  'bootstrap-signer-controller': 'bootstrap-signer',
  'daemonset-controller': 'daemon-set-controller',
  'endpoints-controller': 'endpoint-controller',
  'endpointslice-mirroring-controller': 'endpointslicemirroring-controller',
  'garbage-collector-controller': 'generic-garbage-collector',
  'horizontal-pod-autoscaler-controller': 'horizontal-pod-autoscaler',
  'kubelet-serving-approving-controller': 'certificate-controller',
  'node-ipam-controller': 'node-controller',
  'node-lifecycle-controller': 'node-controller',
  'persistentvolume-attach-detach-controller': 'attachdetach-controller',
  'persistentvolume-binder-controller': 'persistent-volume-binder',
  'persistentvolume-expander-controller': 'expand-controller',
  'persistentvolume-protection-controller': 'pv-protection-controller',
  'persistentvolume-reclaimer-controller': 'persistent-volume-binder',
  'persistentvolumeclaim-protection-controller': 'pvc-protection-controller',
  'pod-garbage-collector-controller': 'pod-garbage-collector',
  'replicationcontroller-controller': 'replication-controller',
  'resourceclaim-controller': 'resource-claim-controller',
  'resourceclaim-release-controller': 'resource-claim-controller',
  'root-ca-certificate-publisher-controller': 'root-ca-cert-publisher',
  'service-cidr-controller': 'service-cidrs-controller',
  'service-lb-controller': 'service-controller',
  'serviceaccount-controller': 'service-account-controller',
  'taint-eviction-controller': 'node-controller',
  'token-cleaner-controller': 'token-cleaner',
}

/** Upstream's controllers of tokens work with the rights of the manager itself. */
const MANAGER_ITSELF: ReadonlySet<string> = new Set(['serviceaccount-token-controller'])

/** By controller name. A controller for whose account there is no role is one that upstream's API server runs. */
export function controllerIdentities(): (controller: string) => UserInfo {
  const { clusterRoleBindings, roleBindings } = bootstrapRoles()
  const subjects = [...clusterRoleBindings, ...roleBindings].flatMap((binding) => binding.subjects ?? [])
  const accounts = new Set(subjects.flatMap(({ kind, name }) => (kind === 'ServiceAccount' ? [name] : [])))
  return (controller) => {
    if (MANAGER_ITSELF.has(controller)) return CONTROLLER_MANAGER
    const account = Object.hasOwn(ACCOUNTS, controller) ? (ACCOUNTS[controller] ?? controller) : controller
    if (!accounts.has(account)) return SYSTEM
    return {
      name: serviceAccountName(NAMESPACE, account),
      groups: [...serviceAccountGroups(NAMESPACE), AUTHENTICATED_GROUP],
    }
  }
}
