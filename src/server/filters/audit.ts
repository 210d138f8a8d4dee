/**
 * Every request over the wire has an id: the caller's `Audit-Id` or a new one. It is answered, stands in the log and
 * becomes part of the cause of a write. Nothing that depends on the caller may be kept by caches in between. The
 * record for the audit log begins here, so that authentication has where to tell of itself; a request that is answered
 * before anybody knows who asks is logged here.
 */

import { whenThere } from '../../base/awaitable.ts'
import { type Random, randomUuid } from '../../base/random.ts'
import type { ApiResponse } from '../../machinery/wire/message.ts'
import type { Auditing } from '../audit/auditing.ts'
import { RequestRecord } from '../audit/record.ts'
import { type Filter, withHeaders } from './filter.ts'

/** Characters of a caller's id that are taken. */
const AUDIT_ID_LENGTH_MAX = 64

export interface AuditParts {
  readonly random: Random
  /** Absent: nothing is logged. */
  readonly auditing?: Auditing | undefined
}

export function audit({ random, auditing }: AuditParts): Filter {
  return (next) => (call) => {
    const { request, target } = call
    if (request.wants === 'object') return next(call)
    const given = request.headers['audit-id']?.replace(/[^\x20-\x7e]/g, '').slice(0, AUDIT_ID_LENGTH_MAX)
    const id = given || randomUuid(random)
    const identified = { ...request, headers: { ...request.headers, 'audit-id': id } }
    if (auditing === undefined)
      return whenThere(next({ request: identified, target }), (answer) => withIdentity(answer, id))
    const record = new RequestRecord(auditing, { request: identified, target }, random)
    return whenThere(next({ request: { ...identified, audit: record }, target }), (answer) => {
      if (record.isDecided) return withIdentity(answer, id)
      record.decided(undefined, auditing.decide(undefined, target))
      record.answered(answer.status)
      // Upstream logs it so: the head of an answer, and nothing after it.
      return whenThere(record.emit('ResponseStarted'), () => withIdentity(answer, id))
    })
  }
}

function withIdentity(answer: ApiResponse, id: string): ApiResponse {
  for (const name in answer.headers)
    if (name.toLowerCase() === 'cache-control') return withHeaders(answer, { 'audit-id': id })
  return withHeaders(answer, { 'audit-id': id, 'cache-control': 'no-cache, private' })
}
