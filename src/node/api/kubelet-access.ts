/**
 * Who may call the API of a node: the API server by its certificate; others by a certificate of the cluster's authority
 * or a bearer token, when the cluster says that they may. Nobody without either.
 */

import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { tokenReviews } from '../../apis/authentication/token-review.ts'
import { subjectAccessReviews } from '../../apis/authorization/subject-access-review.ts'
import type { Clock } from '../../base/clock.ts'
import { LruMap } from '../../base/lru.ts'
import type { Client } from '../../client/client.ts'
import { ApiError } from '../../machinery/meta/api-error.ts'
import { type AccessQuestion, questionsOf } from './access-attributes.ts'

export interface AccessParts {
  readonly nodeName: string
  /** Speaks as the node. */
  readonly client: Client
  readonly clock: Clock
  /** Common names of certificates that may do everything here: the API server's. */
  readonly trustedNames: readonly string[]
}

/** Throws 401 or 403. `start`: the first part of the path, decoded. */
export type KubeletAccess = (request: IncomingMessage, start: string) => Promise<void>

/** As a review names it. */
interface Caller {
  readonly user: string
  readonly groups: readonly string[]
  readonly uid?: string | undefined
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined
}

/** How long answers of the cluster are kept, in ms; upstream's. */
const TOKEN_MS = 120_000
const ALLOWED_MS = 300_000
const REFUSED_MS = 30_000
/** Answers that are kept, of each kind. A node has few callers. */
const ANSWERS_MAX = 1_000

interface Kept<T> {
  readonly value: T
  readonly untilMs: number
}

export function createKubeletAccess(parts: AccessParts): KubeletAccess {
  const { clock, trustedNames } = parts
  const callers = new LruMap<string, Kept<Caller>>(ANSWERS_MAX)
  const answers = new LruMap<string, Kept<boolean>>(ANSWERS_MAX)
  const fresh = <T>(kept: Kept<T> | undefined): T | undefined =>
    kept !== undefined && clock.monotonic() < kept.untilMs ? kept.value : undefined

  const callerOf = async (token: string): Promise<Caller | undefined> => {
    const key = digestOf(token)
    const known = fresh(callers.get(key))
    if (known) return known
    const value = await reviewed(parts, token)
    if (value) callers.set(key, { value, untilMs: clock.monotonic() + TOKEN_MS })
    return value
  }
  const may = async (caller: Caller, verb: string, subresource: string): Promise<boolean> => {
    const key = digestOf(JSON.stringify([caller, verb, subresource]))
    const known = fresh(answers.get(key))
    if (known !== undefined) return known
    const value = await mayDo(parts, caller, verb, subresource)
    answers.set(key, { value, untilMs: clock.monotonic() + (value ? ALLOWED_MS : REFUSED_MS) })
    return value
  }
  const mayAny = async (caller: Caller, { verb, subresources }: AccessQuestion): Promise<boolean> => {
    for (const subresource of subresources) if (await may(caller, verb, subresource)) return true
    return false
  }
  return async (request, start) => {
    const shown = certified(request)
    if (shown && trustedNames.includes(shown.user)) return
    const token = shown ? undefined : tokenOf(request)
    const caller = shown ?? (token === undefined ? undefined : await callerOf(token))
    if (!caller) throw new ApiError(401, 'Unauthorized', 'Unauthorized')
    for (const question of questionsOf(request.method ?? '', start))
      if (!(await mayAny(caller, question))) throw forbidden(caller, question)
  }
}

function forbidden({ user }: Caller, { verb, subresources }: AccessQuestion): ApiError {
  const asked = `user=${user}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}]`
  return new ApiError(403, 'Forbidden', `Forbidden (${asked})\n`)
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}

/** Attributes that repeat come as an array: the last CN and every O, as the API server reads them. */
function certified(request: IncomingMessage): Caller | undefined {
  const socket = request.socket as TLSSocket
  if (!socket.authorized) return undefined
  const { subject } = socket.getPeerCertificate()
  const user = [subject?.CN ?? []].flat().at(-1)
  return user === undefined ? undefined : { user, groups: [...[subject?.O ?? []].flat(), 'system:authenticated'] }
}

function tokenOf({ headers }: IncomingMessage): string | undefined {
  return /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
}

async function reviewed({ client }: AccessParts, token: string): Promise<Caller | undefined> {
  const { status } = await client.of(tokenReviews).create({ metadata: {}, spec: { token } })
  const { username, groups = [], uid, extra } = status?.user ?? {}
  return status?.authenticated && username ? { user: username, groups, uid, extra } : undefined
}

async function mayDo(
  { client, nodeName }: AccessParts,
  caller: Caller,
  verb: string,
  subresource: string,
): Promise<boolean> {
  const resourceAttributes = { verb, version: 'v1', resource: 'nodes', subresource, name: nodeName }
  const { status } = await client.of(subjectAccessReviews).create({
    metadata: {},
    spec: { ...caller, resourceAttributes },
  })
  return status?.allowed === true
}
