/** What the authorizers look at, from the memory of the registries: roles and bindings, and what relates to nodes. */

import { persistentVolumes } from '../apis/core/persistent-volume/definition.ts'
import { persistentVolumeClaims } from '../apis/core/persistent-volume-claim.ts'
import { pods } from '../apis/core/pod/definition.ts'
import { clusterRoles } from '../apis/rbac/cluster-role.ts'
import { clusterRoleBindings } from '../apis/rbac/cluster-role-binding.ts'
import { roles } from '../apis/rbac/role.ts'
import { roleBindings } from '../apis/rbac/role-binding.ts'
import { type FieldRequirement, fieldSelectorOf } from '../machinery/meta/fields.ts'
import type { NodeObjects } from './auth/node/node-objects.ts'
import type { RoleSource } from './auth/rbac/role-source.ts'
import type { Registries } from './registry/registries.ts'
import type { Registry } from './registry/registry.ts'

type Freshness = Pick<Registry, 'isFresh' | 'whenFresh'>

/** Asked with every request, so the list is made once. */
function freshness(all: () => readonly Freshness[]) {
  let made: readonly Freshness[] | undefined
  const known = (): readonly Freshness[] => {
    made ??= all()
    return made
  }
  return {
    isFresh: () => known().every((registry) => registry.isFresh),
    whenFresh: async () => void (await Promise.all(known().map((registry) => registry.whenFresh()))),
  }
}

/** `registries`: those of the server that the authorizer is a part of; they are there before the first request is. */
export function createRoleSource(registries: () => Registries): RoleSource {
  const of = {
    roles: () => registries().of(roles),
    roleBindings: () => registries().of(roleBindings),
    clusterRoles: () => registries().of(clusterRoles),
    clusterRoleBindings: () => registries().of(clusterRoleBindings),
  }
  const { isFresh, whenFresh } = freshness(() => Object.values(of).map((registry) => registry()))
  return {
    get isFresh() {
      return isFresh()
    },
    whenFresh,
    get changedAt() {
      return {
        roles: of.roles().changedAt,
        roleBindings: of.roleBindings().changedAt,
        clusterRoles: of.clusterRoles().changedAt,
        clusterRoleBindings: of.clusterRoleBindings().changedAt,
      }
    },
    role: (namespace, name) => of.roles().peek({ namespace, name })?.object(),
    clusterRole: (name) => of.clusterRoles().peek({ name })?.object(),
    roleBindings: (namespace) =>
      of
        .roleBindings()
        .peekAll({ namespace })
        .map((stored) => stored.object()),
    clusterRoleBindings: () =>
      of
        .clusterRoleBindings()
        .peekAll({})
        .map((stored) => stored.object()),
  }
}

/** As `createRoleSource`. */
export function createNodeObjects(registries: () => Registries): NodeObjects {
  const of = {
    pods: () => registries().of(pods),
    claims: () => registries().of(persistentVolumeClaims),
    volumes: () => registries().of(persistentVolumes),
    attachments: () => registries().named('storage.k8s.io', 'v1', 'volumeattachments'),
    slices: () => registries().named('resource.k8s.io', 'v1', 'resourceslices'),
  }
  const { isFresh, whenFresh } = freshness(() => Object.values(of).flatMap((registry) => registry() ?? []))
  return {
    get isFresh() {
      return isFresh()
    },
    whenFresh,
    *podsOn(node, { namespace, serviceAccount }) {
      const account = serviceAccount === undefined ? [] : [equals('spec.serviceAccountName', serviceAccount)]
      const fields = fieldSelectorOf([equals('spec.nodeName', node), ...account])
      for (const stored of of.pods().peekAll({ namespace, fields })) yield stored.object()
    },
    nodeOfPod: (key) => of.pods().peek(key)?.fields['spec.nodeName'],
    claim: (key) => of.claims().peek(key)?.object(),
    volume: (name) => of.volumes().peek({ name })?.object(),
    nodeOfAttachment: (name) => nodeNameIn(of.attachments(), name),
    nodeOfResourceSlice: (name) => nodeNameIn(of.slices(), name),
  }
}

const equals = (field: string, value: string): FieldRequirement => ({ field, operator: '=', value })

function nodeNameIn(registry: Registry | undefined, name: string): string | undefined {
  const spec: unknown = registry && Reflect.get(registry.peek({ name })?.object() ?? {}, 'spec')
  if (typeof spec !== 'object' || spec === null || !('nodeName' in spec)) return undefined
  return typeof spec.nodeName === 'string' ? spec.nodeName : undefined
}
