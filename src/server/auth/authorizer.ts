/**
 * May this user do that? The contract of everything that decides it, what a request asks for in its terms, and the
 * text of a refusal. Who decides, in which order: `cluster/security/authorization.ts`.
 */

import type { NonResourceRule, ResourceRule } from '../../apis/authorization/types.gen.ts'
import { type ApiError, forbiddenPath, forbiddenRequest, internalError } from '../../machinery/meta/api-error.ts'
import { type FieldRequirement, parseFieldSelector } from '../../machinery/meta/fields.ts'
import { parseLabelSelector, type Requirement } from '../../machinery/meta/labels.ts'
import type { UserInfo } from '../../machinery/wire/message.ts'
import { withoutMarkup } from './texts.ts'

export interface Attributes {
  readonly user: UserInfo
  /** get, list, watch, create, update, patch, delete, deletecollection, impersonate, …; for paths the method. */
  readonly verb: string
  /** Empty strings where the request has none; `resource` is empty for a path that names no resource. */
  readonly group: string
  /** Absent: `*`. Rights are the same for all; webhooks are told. */
  readonly version?: string | undefined
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly path: string
  /** What a list, a watch or a deletion of many is limited to; absent: to nothing. Of no request for a path. */
  readonly fields?: Limits<FieldRequirement> | undefined
  readonly labels?: Limits<Requirement> | undefined
}

/** A selector as far as it could be read: leaving a part out makes what is asked for more, never less. */
export interface Limits<T> {
  readonly requirements: readonly T[]
  readonly unread: boolean
}

export interface Decision {
  /** `no-opinion` lets the next one in the list decide; when nobody allows, the answer is no. */
  readonly verdict: 'allow' | 'deny' | 'no-opinion'
  /** Why not, where that helps the caller; or which rule allowed it. */
  readonly reason: string
  /** What went wrong while it was decided. */
  readonly error?: string | undefined
}

export interface Authorizer {
  /** At once where that is possible: it is on the way of every request. Who need not know any more aborts `signal`. */
  authorize(attributes: Attributes, signal?: AbortSignal): Decision | Promise<Decision>
}

export interface Rules {
  readonly resourceRules: readonly ResourceRule[]
  readonly nonResourceRules: readonly NonResourceRule[]
  /** There may be more than these. */
  readonly incomplete: boolean
  readonly error: string
}

export interface RuleResolver {
  /** All that the user may do in the namespace, as far as that can be listed. */
  rulesOf(user: UserInfo, namespace: string): Rules | Promise<Rules>
}

export const ALLOWED: Decision = { verdict: 'allow', reason: '' }
export const NO_OPINION: Decision = { verdict: 'no-opinion', reason: '' }

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
      /** The selectors of a request on a collection, as they were sent. */
      readonly fieldSelector?: string | undefined
      readonly labelSelector?: string | undefined
    }
  | { readonly type: 'path'; readonly path: string; readonly verb: string }

export function attributesOf(user: UserInfo, target: RequestTarget): Attributes {
  const { verb, path } = target
  if (target.type === 'path')
    return { user, verb, path, group: '', resource: '', subresource: '', namespace: '', name: '' }
  const { group, version, resource, subresource, namespace, selectedName, fieldSelector, labelSelector } = target
  // A list of the one object of a name is a request for that object.
  const name = target.name || (selectedName ?? '')
  const asked = { user, verb, path, group, version, resource, subresource, namespace, name }
  if (!fieldSelector && !labelSelector) return asked
  return { ...asked, fields: fieldLimits(fieldSelector), labels: labelLimits(labelSelector) }
}

export function fieldLimits(selector = ''): Limits<FieldRequirement> | undefined {
  return selector === '' ? undefined : limits(() => parseFieldSelector(selector).requirements)
}

export function labelLimits(selector = ''): Limits<Requirement> | undefined {
  return selector === '' ? undefined : limits(() => parseLabelSelector(selector).requirements)
}

function limits<T>(read: () => readonly T[]): Limits<T> {
  try {
    return { requirements: read(), unread: false }
  } catch {
    return { requirements: [], unread: true }
  }
}

/** Throws the 403 of what nobody allows; a 500 when somebody could not decide. */
export async function demand(authorizer: Authorizer, attributes: Attributes): Promise<void> {
  const { verdict, reason, error } = await authorizer.authorize(attributes)
  if (verdict === 'allow') return
  throw error === undefined ? refusal(attributes, reason) : internalError(error)
}

/** The 403 in upstream's words. */
export function refusal(attributes: Attributes, reason: string): ApiError {
  const { user, verb, group, resource, subresource, namespace, name, path } = attributes
  const who = withoutMarkup(`User ${JSON.stringify(user.name)} cannot ${verb}`)
  if (resource === '') return forbiddenPath(withoutMarkup(path), who, reason)
  const what = subresource === '' ? resource : `${resource}/${subresource}`
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`
  const asked = withoutMarkup(`resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}`)
  const detail = `${who} ${asked}`
  return forbiddenRequest({ group, resource }, name, reason === '' ? detail : `${detail}: ${reason}`)
}
