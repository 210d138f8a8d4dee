/**
 * May this user do that? The contract, the text of a refusal, and the rules that hold before any role is
 * consulted: administrators and the cluster's own components may do everything, everybody known may look
 * around, strangers may ask for health and version.
 */

import { type ApiError, forbiddenPath, forbiddenRequest } from '../../machinery/meta/api-error.ts'
import type { UserInfo } from '../../machinery/wire/message.ts'

export interface Attributes {
  readonly user: UserInfo
  /** get, list, watch, create, update, patch, delete, deletecollection, impersonate, …; for paths the method. */
  readonly verb: string
  /** Empty strings where the request has none; `resource` is empty for a path that names no resource. */
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly path: string
}

export interface Decision {
  readonly allowed: boolean
  /** Why not, where that helps the caller; or which rule allowed it. */
  readonly reason: string
}

export interface Authorizer {
  authorize(attributes: Attributes): Decision
}

/** What a request is about, as far as filters care; `request-info.ts` makes it. */
export type RequestTarget =
  | {
      readonly type: 'resource'
      readonly path: string
      readonly verb: string
      readonly group: string
      readonly version: string
      readonly namespace: string
      readonly resource: string
      readonly subresource: string
      readonly name: string
      /** The one name that a list or watch selects. */
      readonly selectedName?: string | undefined
    }
  | { readonly type: 'path'; readonly path: string; readonly verb: string }

export function attributesOf(user: UserInfo, target: RequestTarget): Attributes {
  const { verb, path } = target
  if (target.type === 'path')
    return { user, verb, path, group: '', resource: '', subresource: '', namespace: '', name: '' }
  const { group, resource, subresource, namespace, name, selectedName } = target
  // A list of the one object of a name is a request for that object.
  return { user, verb, path, group, resource, subresource, namespace, name: name || (selectedName ?? '') }
}

/** The 403 in upstream's words. */
export function refusal(attributes: Attributes, reason: string): ApiError {
  const { user, verb, group, resource, subresource, namespace, name, path } = attributes
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`
  if (resource === '') return forbiddenPath(path, who)
  const what = subresource === '' ? resource : `${resource}/${subresource}`
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`
  const detail = `${who} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}`
  return forbiddenRequest({ group, resource }, name, reason === '' ? detail : `${detail}: ${reason}`)
}

const ADMINISTRATORS: ReadonlySet<string> = new Set(['system:masters', 't8s:admins'])

const COMPONENTS: ReadonlySet<string> = new Set([
  'system:apiserver',
  'system:kube-apiserver',
  'system:kube-controller-manager',
  'system:kube-scheduler',
  'system:kube-proxy',
])

/** What upstream's `system:public-info-viewer` shows. */
const PUBLIC_PATHS = ['/healthz', '/livez', '/readyz', '/version']
/** What upstream's `system:discovery` adds to it. */
const DISCOVERY_PATHS = [...PUBLIC_PATHS, '/api', '/apis', '/openapi', '/.well-known', '/openid/v1/jwks']

/** What upstream's `system:basic-user` may create. */
const SELF_REVIEWS: ReadonlySet<string> = new Set([
  'authentication.k8s.io/selfsubjectreviews',
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
])

const ALLOWED: Decision = { allowed: true, reason: '' }
const DENIED: Decision = { allowed: false, reason: '' }

/** Rules that need no role objects. */
export const builtInRules: Authorizer = {
  authorize({ user, verb, group, resource, path }) {
    if (isAdministrator(user) || isComponent(user)) return ALLOWED
    const known = user.groups.includes('system:authenticated')
    if (resource === '') {
      const readable = verb === 'get' && isUnder(path, known ? DISCOVERY_PATHS : PUBLIC_PATHS)
      return readable ? ALLOWED : DENIED
    }
    return known && verb === 'create' && SELF_REVIEWS.has(`${group}/${resource}`) ? ALLOWED : DENIED
  },
}

export function isAdministrator(user: UserInfo): boolean {
  return user.groups.some((group) => ADMINISTRATORS.has(group))
}

function isComponent({ name, groups }: UserInfo): boolean {
  return COMPONENTS.has(name) || (name.startsWith('system:node:') && groups.includes('system:nodes'))
}

function isUnder(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => path === root || path.startsWith(`${root}/`))
}
