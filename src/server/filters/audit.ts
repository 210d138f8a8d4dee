/**
 * Every request over the wire has an id: the caller's `Audit-Id` or a new one. It is answered, stands in the log and
 * becomes part of the cause of a write. Nothing that depends on the caller may be kept by caches in between. The
 * record for the audit log begins here, so that authentication has where to tell of itself; a request that is answered
 * before anybody knows who asks is logged here.
 */

import { type Random, randomUuid } from '../../base/random.ts'
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
  return (next) => async (call) => {
    const { request } = call
    if (request.wants === 'object') return next(call)
    const given = request.headers['audit-id']?.replace(/[^\x20-\x7e]/g, '').slice(0, AUDIT_ID_LENGTH_MAX)
    const id = given || randomUuid(random)
    const identified = { ...call, request: { ...request, headers: { ...request.headers, 'audit-id': id } } }
    const record = auditing && new RequestRecord(auditing, identified, random)
    const answer = await next(
      record ? { ...identified, request: { ...identified.request, audit: record } } : identified,
    )
    if (auditing && record && !record.isDecided) {
      record.decided(undefined, auditing.decide(undefined, call.target))
      record.answered(answer.status)
      // Upstream logs it so: the head of an answer, and nothing after it.
      await record.emit('ResponseStarted')
    }
    const headers = { 'audit-id': id }
    const cached = Object.keys(answer.headers).some((name) => name.toLowerCase() === 'cache-control')
    return withHeaders(answer, cached ? headers : { ...headers, 'cache-control': 'no-cache, private' })
  }
}
