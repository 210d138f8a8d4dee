/**
 * Lists: which revision is read, and in which pages. The rules on resourceVersion, resourceVersionMatch, limit and
 * continue are upstream's, refusals included.
 *
 *   no resourceVersion                → the newest state
 *   0, or NotOlderThan N              → the newest state (this server has no staler one at hand)
 *   N with a limit, or Exact N        → the state at N
 *   continue                          → the state at the token's revision, after the token's key
 */

import type { Awaitable } from '../../base/awaitable.ts'
import { type ApiError, badRequest, expired, invalid, isExpired } from '../../machinery/meta/api-error.ts'
import { type FieldError, forbidden, notSupported, rootPath } from '../../machinery/meta/field-error.ts'
import type { FieldSelector } from '../../machinery/meta/fields.ts'
import type { Selector } from '../../machinery/meta/labels.ts'
import type { KubeObject, ListMeta } from '../../machinery/meta/object.ts'
import { parseResourceVersion } from '../../machinery/meta/resource-version.ts'
import type { ListQuery, ListResult } from '../../watch/watch-cache.ts'
import type { Stored } from './codec.ts'
import type { RegistryContext } from './context.ts'
import { type ContinueToken, decodeContinueToken, encodeContinueToken } from './continue-token.ts'
import { storagePrefix } from './object-key.ts'
import { selectionOf } from './selection.ts'

export interface ListOptions {
  /** Empty: all namespaces. */
  readonly namespace: string
  readonly labels?: Selector | undefined
  readonly fields?: FieldSelector | undefined
  readonly resourceVersion: string
  readonly resourceVersionMatch: string
  /** 0: no limit. */
  readonly limit: number
  readonly continueToken: string
}

/** For `ListOptions`: all there is now, in one page. */
export const ALL_NOW = { resourceVersion: '', resourceVersionMatch: '', limit: 0, continueToken: '' } as const

export interface Listed<T extends KubeObject> {
  readonly metadata: ListMeta
  readonly items: readonly Stored<T>[]
}

/** Answered at once from memory where nothing has to be waited for. */
export function list<T extends KubeObject>(context: RegistryContext<T>, options: ListOptions): Awaitable<Listed<T>> {
  checkListOptions(options)
  const { cache } = context
  const token = options.continueToken === '' ? undefined : decodeContinueToken(options.continueToken)
  const version = parseResourceVersion(options.resourceVersion, 'invalid resource version: ')
  const unlimited = options.limit === 0 || (!token && options.resourceVersion === '0')
  const query: ListQuery = {
    ...selectionOf(options),
    limit: unlimited ? undefined : options.limit,
    after: token ? `${storagePrefix(context.definition)}${token.after}` : undefined,
    revision: revisionOf(options, version, token),
  }
  const atLeast = token || isExact(options) ? 0 : version
  const now = cache.revision >= atLeast ? cache.listNow(query) : undefined
  return now ? listedOf(context, now) : listLater(context, { query, token, atLeast })
}

async function listLater<T extends KubeObject>(
  context: RegistryContext<T>,
  {
    query,
    token,
    atLeast,
  }: { readonly query: ListQuery; readonly token: ContinueToken | undefined; readonly atLeast: number },
): Promise<Listed<T>> {
  const { cache, storage } = context
  await cache.caughtUpTo(atLeast)
  const page = await cache.list(query).catch((error: unknown) => {
    throw token && isExpired(error) ? expiredToken(token, storage.head) : error
  })
  return listedOf(context, page)
}

function listedOf<T extends KubeObject>(
  { definition, codec }: RegistryContext<T>,
  { objects, more, remaining, revision }: ListResult,
): Listed<T> {
  const last = objects.at(-1)
  const rest = more && last ? restOf(revision, last.key.slice(storagePrefix(definition).length), remaining) : {}
  // What cannot be watched is made up when it is read, and has no versions.
  const from = definition.verbs.includes('watch') ? { resourceVersion: String(revision) } : {}
  return { metadata: { ...from, ...rest }, items: objects.map((object) => codec.typed(object)) }
}

function restOf(revision: number, after: string, remaining: number | undefined): ListMeta {
  const token = { continue: encodeContinueToken({ revision, after }) }
  return remaining === undefined ? token : { ...token, remainingItemCount: remaining }
}

/** The state at N is asked for by name, or by paging from N on. */
function isExact({ resourceVersionMatch, resourceVersion, limit }: ListOptions): boolean {
  if (resourceVersionMatch === 'Exact') return true
  return resourceVersionMatch === '' && limit > 0 && resourceVersion !== '' && resourceVersion !== '0'
}

function revisionOf(options: ListOptions, version: number, token: ContinueToken | undefined): number | undefined {
  if (token) return token.revision < 0 ? undefined : token.revision
  return isExact(options) ? version : undefined
}

/** 410 with a token that goes on after the same key at the newest state: an inconsistent list, if the client wants it. */
function expiredToken({ after }: ContinueToken, head: number): ApiError {
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
    'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
    'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
    'deleted between the time the first chunk was returned and now may show up in the list.'
  return expired(message, { continue: encodeContinueToken({ revision: -1, after }), resourceVersion: String(head) })
}

const MATCHES = ['Exact', 'NotOlderThan']

function checkListOptions(options: ListOptions): void {
  const errors = matchErrors(options)
  if (errors.length > 0) throw invalidListOptions(errors)
  if (options.continueToken !== '' && options.resourceVersion !== '' && options.resourceVersion !== '0')
    throw badRequest('specifying resource version is not allowed when using continue')
}

export function invalidListOptions(errors: readonly FieldError[]): ApiError {
  return invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors)
}

function matchErrors({ resourceVersion, resourceVersionMatch, continueToken }: ListOptions): readonly FieldError[] {
  const path = rootPath.child('resourceVersionMatch')
  if (resourceVersionMatch === '') return []
  const errors: FieldError[] = []
  if (resourceVersion === '')
    errors.push(forbidden(path, 'resourceVersionMatch is forbidden unless resourceVersion is provided'))
  if (continueToken !== '') errors.push(forbidden(path, 'resourceVersionMatch is forbidden when continue is provided'))
  if (!MATCHES.includes(resourceVersionMatch)) errors.push(notSupported(path, resourceVersionMatch, [...MATCHES, '']))
  if (resourceVersionMatch === 'Exact' && resourceVersion === '0')
    errors.push(forbidden(path, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
  return errors
}
