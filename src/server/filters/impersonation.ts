/**
 * The ways in which one may act as somebody else, and the rights that each takes. The narrow ways come first: they hold
 * for one kind of identity, and only together with the right to do, in this way, what the request asks for
 * (`impersonate-on:<way>:<verb>`). The last is the old one: `impersonate`, for whatever is asked.
 */

import { domainPrefixedPathErrors } from '../../apis/field-rules.ts'
import { FieldPath, fieldErrorsText } from '../../machinery/meta/field-error.ts'
import { isDns1123Subdomain } from '../../machinery/meta/names.ts'
import type { UserInfo } from '../../machinery/wire/message.ts'
import { AUTHENTICATED_GROUP } from '../auth/authenticator.ts'
import type { Attributes } from '../auth/authorizer.ts'
import { parseServiceAccountName, serviceAccountGroups } from '../auth/service-account-token.ts'

/** Whom the request wants to be, as its headers say it. */
export interface Wish {
  readonly name: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

/** What must be allowed: the whole, or else every part. `refused` is allowed to nobody. */
export interface Need {
  readonly whole?: Attributes | undefined
  readonly parts: readonly Attributes[]
  readonly refused?: { readonly attributes: Attributes; readonly reason: string } | undefined
}

export interface Way {
  /** In the order they are asked for. */
  readonly needs: readonly Need[]
  /** Who the caller is then. */
  readonly user: UserInfo
  /** The verb of the right to this narrow way, as the audit log names it. */
  readonly constraint?: string | undefined
}

/** The ways that fit the wish, in the order they are tried. */
export function waysOf(asked: Attributes, wish: Wish): readonly Way[] {
  const { user } = asked
  const onlyName = wish.uid === '' && wish.groups.length === 0 && Object.keys(wish.extra).length === 0
  const node = nodeNameIn(wish.name)
  const account = parseServiceAccountName(wish.name)
  return [
    ...(onlyName && node !== undefined && runsOn(user, node) ? [narrowWay(asked, wish, 'associated-node')] : []),
    ...(onlyName && node !== undefined ? [narrowWay(asked, wish, 'arbitrary-node')] : []),
    ...(onlyName && account ? [narrowWay(asked, wish, 'serviceaccount')] : []),
    ...(node === undefined && !account ? [narrowWay(asked, wish, 'user-info')] : []),
    oldWay(user, wish),
  ]
}

type Narrow = 'associated-node' | 'arbitrary-node' | 'serviceaccount' | 'user-info'

const AUTHENTICATION_GROUP = 'authentication.k8s.io'
const NODES_GROUP = 'system:nodes'
const SUPERUSERS_GROUP = 'system:masters'
const ANONYMOUS = 'system:anonymous'
const UNAUTHENTICATED_GROUP = 'system:unauthenticated'
const NODE_NAME_KEY = 'authentication.kubernetes.io/node-name'
/** From so many groups or extras on, the right to all of them is asked for first. */
const MANY = 4

function narrowWay(asked: Attributes, wish: Wish, way: Narrow): Way {
  const right = rightOf(asked.user, `impersonate:${way}`, AUTHENTICATION_GROUP)
  const node = nodeNameIn(wish.name)
  const name = way === 'associated-node' ? '*' : (node ?? wish.name)
  const account = parseServiceAccountName(wish.name)
  const named = account ? right('serviceaccounts', account) : right(node === undefined ? 'users' : 'nodes', { name })
  return {
    needs: [
      need({ ...asked, verb: `impersonate-on:${way}:${asked.verb}` }),
      need(named),
      ...uidNeeds(asked.user, `impersonate:${way}`, wish),
      ...(wish.groups.length > 0 ? [groupsNeed(right, wish.groups)] : []),
      ...(Object.keys(wish.extra).length > 0 ? [extraNeed(right, wish.extra)] : []),
    ],
    user: impersonated(wish, node === undefined ? [] : [NODES_GROUP]),
    constraint: `impersonate:${way}`,
  }
}

function oldWay(user: UserInfo, wish: Wish): Way {
  const right = rightOf(user, 'impersonate', '')
  const extraRight = rightOf(user, 'impersonate', AUTHENTICATION_GROUP)
  const account = parseServiceAccountName(wish.name)
  return {
    needs: [
      need(account ? right('serviceaccounts', account) : right('users', { name: wish.name })),
      ...uidNeeds(user, 'impersonate', wish),
      need(...wish.groups.map((name) => right('groups', { name }))),
      need(...extraParts(extraRight, wish.extra)),
    ],
    user: impersonated(wish, []),
  }
}

type Right = (resource: string, more: Partial<Attributes>) => Attributes

function rightOf(user: UserInfo, verb: string, group: string): Right {
  const shared = { user, verb, group, version: 'v1', subresource: '', namespace: '', name: '', path: '' }
  return (resource, more) => ({ ...shared, resource, ...more })
}

function need(...parts: readonly Attributes[]): Need {
  return { parts }
}

function uidNeeds(user: UserInfo, verb: string, { uid }: Wish): readonly Need[] {
  return uid === '' ? [] : [need(rightOf(user, verb, AUTHENTICATION_GROUP)('uids', { name: uid }))]
}

function groupsNeed(right: Right, groups: readonly string[]): Need {
  const parts = groups.map((name) => right('groups', { name }))
  if (groups.includes(''))
    return refusedNeed(right('groups', {}), 'impersonating the empty string group is not allowed')
  if (groups.includes(SUPERUSERS_GROUP)) {
    const attributes = right('groups', { name: SUPERUSERS_GROUP })
    return refusedNeed(attributes, `impersonating the ${SUPERUSERS_GROUP} group is not allowed`)
  }
  return { parts, ...(parts.length >= MANY && { whole: right('groups', { name: '*' }) }) }
}

function extraNeed(right: Right, extra: Wish['extra']): Need {
  const reason = extraFinding(extra)
  if (reason !== undefined) return refusedNeed(right('userextras', {}), reason)
  const parts = extraParts(right, extra)
  const whole = right('userextras', { subresource: '*', name: '*' })
  return { parts, ...(parts.length >= MANY && { whole }) }
}

function extraParts(right: Right, extra: Wish['extra']): readonly Attributes[] {
  return Object.entries(extra).flatMap(([subresource, list]) =>
    list.map((name) => right('userextras', { subresource, name })),
  )
}

function refusedNeed(attributes: Attributes, reason: string): Need {
  return { parts: [], refused: { attributes, reason } }
}

const EXTRA_KEY = new FieldPath('extra.key')

function extraFinding(extra: Wish['extra']): string | undefined {
  for (const [key, list] of Object.entries(extra)) {
    if (key === '') return 'impersonating the empty string key in extra is not allowed'
    const errors = domainPrefixedPathErrors(EXTRA_KEY, key)
    if (errors.length > 0) return `impersonating an invalid key in extra is not allowed: ${fieldErrorsText(errors)}`
    if (key !== key.toLowerCase())
      return `impersonating a non-lowercase key in extra is not allowed: ${JSON.stringify(key)}`
    if (list.length === 0) return 'impersonating empty values in extra is not allowed'
    if (list.includes('')) return 'impersonating the empty string value in extra is not allowed'
  }
  return undefined
}

/** Nodes and service accounts have groups of their own, unless others are asked for. */
function impersonated({ name, uid, groups, extra }: Wish, nodeGroups: readonly string[]): UserInfo {
  const account = parseServiceAccountName(name)
  const own = account ? serviceAccountGroups(account.namespace) : nodeGroups
  const all = groups.length > 0 ? groups : own
  const known = name === ANONYMOUS ? UNAUTHENTICATED_GROUP : AUTHENTICATED_GROUP
  const complete = all.includes(known) || all.includes(UNAUTHENTICATED_GROUP) ? all : [...all, known]
  return { name, ...(uid !== '' && { uid }), groups: complete, extra }
}

function nodeNameIn(user: string): string | undefined {
  const prefix = 'system:node:'
  const name = user.startsWith(prefix) ? user.slice(prefix.length) : ''
  return name !== '' && isDns1123Subdomain(name).length === 0 ? name : undefined
}

/** A service account whose token is for a pod on that node. */
function runsOn({ name, extra }: UserInfo, node: string): boolean {
  const nodes = extra?.[NODE_NAME_KEY] ?? []
  return parseServiceAccountName(name) !== undefined && nodes.length === 1 && nodes[0] === node
}
