/** Roles and bindings that must be there before anybody may do anything: created, or put right, at every start. */

import { certificateSigningRequests } from '../apis/certificates/certificate-signing-request.ts'
import { KUBELET_SERVING_SIGNER } from '../apis/certificates/node-requests.ts'
import type { ResourceDefinition } from '../apis/definition.ts'
import { clusterRoles } from '../apis/rbac/cluster-role.ts'
import { clusterRoleBindings } from '../apis/rbac/cluster-role-binding.ts'
import { RBAC_GROUP } from '../apis/rbac/policy-rule.ts'
import { roles } from '../apis/rbac/role.ts'
import { roleBindings } from '../apis/rbac/role-binding.ts'
import type { ClusterRole, ClusterRoleBinding, RoleBinding } from '../apis/rbac/types.gen.ts'
import { fieldOf } from '../apis/strategy-parts.ts'
import type { Clock } from '../base/clock.ts'
import { byCodeUnit } from '../base/group-by.ts'
import type { Client, ResourceClient } from '../client/client.ts'
import { apiVersionOf } from '../machinery/meta/group-version.ts'
import { type KubeObject, keyOf, type ManagedFieldsEntry } from '../machinery/meta/object.ts'
import { formatTime } from '../machinery/meta/time.ts'
import { bootstrapRoles } from '../server/auth/rbac/bootstrap-roles.ts'
import { reconciledBinding, reconciledRole } from '../server/auth/rbac/reconcile.ts'
import type { Registries } from '../server/registry/registries.ts'
import { NODES_GROUP } from './identities.ts'

/** The group of the user in the cluster's kubeconfig. */
export const ADMINISTRATORS_GROUP = 't8s:admins'

/** As kubeadm does: the administrator's rights come from a binding that can be seen and taken back. */
const administrators: ClusterRoleBinding = {
  metadata: { name: 't8s:cluster-admins' },
  subjects: [{ kind: 'Group', apiGroup: RBAC_GROUP, name: ADMINISTRATORS_GROUP }],
  roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: 'cluster-admin' },
}

const SERVING_APPROVER = 't8s:kubelet-serving-approver'

/** The cluster approves the serving certificates of its own nodes; upstream's role leaves them out. */
const servingApprover: ClusterRole = {
  metadata: { name: SERVING_APPROVER },
  rules: [
    {
      verbs: ['approve'],
      apiGroups: [certificateSigningRequests.group],
      resources: ['signers'],
      resourceNames: [KUBELET_SERVING_SIGNER],
    },
  ],
}

const ownBindings: readonly ClusterRoleBinding[] = [
  administrators,
  {
    metadata: { name: SERVING_APPROVER },
    subjects: [{ kind: 'ServiceAccount', namespace: 'kube-system', name: 'certificate-controller' }],
    roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: SERVING_APPROVER },
  },
  // As kubeadm does: a kubelet that has a client certificate gets the next one.
  {
    metadata: { name: 't8s:node-certificate-rotation' },
    subjects: [{ kind: 'Group', apiGroup: RBAC_GROUP, name: NODES_GROUP }],
    roleRef: {
      ...{ apiGroup: RBAC_GROUP, kind: 'ClusterRole' },
      name: 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
    },
  },
]

export interface RoleParts {
  readonly registries: Registries
  /** May do everything. */
  readonly client: Client
  readonly clock: Clock
}

/** Safe to repeat; writes nothing when nothing is missing. */
export async function ensureRoles(parts: RoleParts): Promise<void> {
  const wanted = bootstrapRoles()
  await Promise.all([
    ensureAll(parts, clusterRoles, [...wanted.clusterRoles, servingApprover], putRoleRight),
    ensureAll(parts, roles, wanted.roles, putRoleRight),
    ensureAll(parts, clusterRoleBindings, [...wanted.clusterRoleBindings, ...ownBindings], putBindingRight),
    ensureAll(parts, roleBindings, wanted.roleBindings, putBindingRight),
  ])
}

type PutRight<T extends KubeObject> = (objects: ResourceClient<T>, existing: T, expected: T) => Promise<void>

async function ensureAll<T extends KubeObject>(
  { registries, client, clock }: RoleParts,
  definition: ResourceDefinition<T>,
  expected: readonly T[],
  putRight: PutRight<T>,
): Promise<void> {
  const registry = registries.of(definition)
  await registry.whenFresh()
  const now = formatTime(clock.now())
  const missing: T[] = []
  const putRights: Promise<void>[] = []
  for (const object of expected) {
    const found = registry.peek(keyOf(object))?.object()
    if (found) putRights.push(putRight(client.of(definition), found, object))
    else missing.push(owned(definition, object, now))
  }
  await Promise.all([registry.seed(missing), ...putRights])
}

async function putRoleRight<T extends ClusterRole>(objects: ResourceClient<T>, existing: T, expected: T) {
  const role = reconciledRole(existing, expected)
  if (role !== existing) await objects.update(role)
}

async function putBindingRight<T extends RoleBinding>(objects: ResourceClient<T>, existing: T, expected: T) {
  const { do: what, binding } = reconciledBinding(existing, expected)
  if (what === 'update') await objects.update(binding)
  if (what !== 'replace') return
  await objects.delete(keyOf(existing), { uid: existing.metadata.uid })
  await objects.create(binding)
}

/** With the entry that says who set which field: the API server, all that are there. */
function owned<T extends KubeObject>(definition: ResourceDefinition<T>, object: T, now: string): T {
  const { labels, annotations } = object.metadata
  const marks = {
    ...(annotations && { 'f:annotations': wholeSet(annotations) }),
    ...(labels && { 'f:labels': wholeSet(labels) }),
  }
  const has = (field: string): boolean => (fieldOf(object, field) ?? null) !== null
  const entry: ManagedFieldsEntry = {
    manager: 'kube-apiserver',
    operation: 'Update',
    apiVersion: apiVersionOf(definition),
    time: now,
    fieldsType: 'FieldsV1',
    fieldsV1: {
      ...(has('aggregationRule') && { 'f:aggregationRule': { '.': {}, 'f:clusterRoleSelectors': {} } }),
      ...(labels && { 'f:metadata': marks }),
      ...Object.fromEntries(ATOMIC_FIELDS.filter(has).map((field) => [`f:${field}`, {}])),
    },
  }
  return { ...object, metadata: { ...object.metadata, managedFields: [entry] } }
}

/** Fields that have one owner, in the order of their names. */
const ATOMIC_FIELDS = ['roleRef', 'rules', 'subjects']

/** A map and each of its keys. */
function wholeSet(map: object): object {
  const keys = Object.keys(map).sort(byCodeUnit)
  return { '.': {}, ...Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) }
}
