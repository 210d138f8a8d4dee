/**
 * Nobody gives away rights that they do not have: neither by writing roles (unless they may `escalate` them) nor by
 * binding roles (unless they may `bind` them). It looks at what the plugins before it have made of an object, and
 * before anybody says what is wrong with it: it stands last in the list, and refuses where others change.
 */

import { RBAC_GROUP } from '../../../apis/rbac/policy-rule.ts'
import type { ClusterRole, PolicyRule, RoleBinding } from '../../../apis/rbac/types.gen.ts'
import { deepEqual } from '../../../base/deep-equal.ts'
import { type ApiError, forbiddenRequest, notFound } from '../../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { UserInfo } from '../../../machinery/wire/message.ts'
import type { Authorization } from '../../auth/authorization.ts'
import { missingRules, ruleLines } from '../../auth/rbac/rule-cover.ts'
import { isSuperuser } from '../../auth/superusers.ts'
import { quotedList } from '../../auth/texts.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import type { AdmissionPlugin } from '../plugin.ts'

const ROLES: ReadonlySet<string> = new Set(['roles', 'clusterroles'])
const BINDINGS: ReadonlySet<string> = new Set(['rolebindings', 'clusterrolebindings'])

export function roleEscalation({ authorization }: { readonly authorization: Authorization }): AdmissionPlugin {
  return {
    name: 'RoleEscalation',
    operations: ['CREATE', 'UPDATE'],
    about: [...ROLES, ...BINDINGS].map((resource) => `${RBAC_GROUP}/${resource}`),
    async mutate(attributes, object) {
      const { definition, previous, user, subresource } = attributes
      if (definition.group !== RBAC_GROUP || subresource !== '' || isSuperuser(user)) return object
      if (previous && onlyFreesObject(object, previous)) return object
      // By its definition the object is of this kind.
      if (ROLES.has(definition.resource)) await checkRole(authorization, attributes, object as ClusterRole)
      if (BINDINGS.has(definition.resource)) await checkBinding(authorization, attributes, object as RoleBinding)
      return object
    },
  }
}

/** What a garbage collector must be able to write whatever the object gives. */
function onlyFreesObject(object: KubeObject, previous: KubeObject): boolean {
  const { ownerReferences, finalizers, managedFields } = previous.metadata
  const { ownerReferences: _owners, finalizers: _finalizers, managedFields: _managed, ...metadata } = object.metadata
  const kept = {
    ...metadata,
    ...(ownerReferences && { ownerReferences }),
    ...(finalizers && { finalizers }),
    ...(managedFields && { managedFields }),
  }
  return deepEqual({ ...object, metadata: kept }, previous)
}

const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

async function checkRole(
  { authorizer, roles }: Authorization,
  attributes: AdmissionAttributes,
  role: ClusterRole,
): Promise<void> {
  const { user, definition, namespace, previous } = attributes
  // As upstream, which knows no name when an object is posted to the collection.
  const name = attributes.operation === 'CREATE' ? '' : attributes.name
  const right = { user, verb: 'escalate', ...place(definition.resource, namespace, name) }
  if ((await authorizer.authorize(right)).verdict === 'allow') return
  const { rules, errors } = await roles.rightsOf(user, namespace)
  const missing = missingRules(rules, role.rules)
  if (missing.length > 0) throw tooMuch(attributes, missing, errors)
  // A sum takes in whatever fits, so only who has everything may make one.
  if (!isSum(role) && !isSum(previous as ClusterRole | undefined)) return
  if (missingRules(rules, EVERYTHING).length > 0)
    throw refused(attributes, 'must have cluster-admin privileges to use the aggregationRule')
}

function isSum(role: ClusterRole | undefined): boolean {
  return (role?.aggregationRule?.clusterRoleSelectors?.length ?? 0) > 0
}

async function checkBinding(
  { authorizer, roles }: Authorization,
  attributes: AdmissionAttributes,
  { roleRef }: RoleBinding,
): Promise<void> {
  const { user, namespace } = attributes
  const { kind, name = '' } = roleRef ?? {}
  const resource = kind === 'ClusterRole' ? 'clusterroles' : kind === 'Role' ? 'roles' : undefined
  // Validation has something to say about it.
  if (resource === undefined) return
  const right = { user, verb: 'bind', ...place(resource, namespace, name) }
  if ((await authorizer.authorize(right)).verdict === 'allow') return
  const given = await roles.rulesOfRole(roleRef, namespace)
  if (!given) throw notFound({ group: RBAC_GROUP, resource }, name)
  const { rules, errors } = await roles.rightsOf(user, namespace)
  const missing = missingRules(rules, given)
  if (missing.length > 0) throw tooMuch(attributes, missing, errors)
}

function place(resource: string, namespace: string, name: string) {
  return { group: RBAC_GROUP, resource, subresource: '', namespace, name, path: '' }
}

function tooMuch(attributes: AdmissionAttributes, missing: readonly PolicyRule[], errors: readonly string[]): ApiError {
  const { user } = attributes
  const lines = ruleLines(missing).join('\n')
  const problems = errors.length > 0 ? `; resolution errors: [${errors.join(' ')}]` : ''
  return refused(
    attributes,
    `${described(user)} is attempting to grant RBAC permissions not currently held:\n${lines}${problems}`,
  )
}

function described({ name, groups }: UserInfo): string {
  return `user ${JSON.stringify(name)} (groups=${quotedList(groups)})`
}

function refused({ definition, object }: AdmissionAttributes, detail: string): ApiError {
  return forbiddenRequest(definition, object?.metadata.name ?? '', detail)
}
