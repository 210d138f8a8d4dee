/**
 * Every request has an id: the caller's `Audit-Id` or a new one. It is answered, stands in the log and becomes
 * part of the cause of a write. Nothing that depends on the caller may be kept by caches in between.
 */

import { type Random, randomUuid } from '../../base/random.ts'
import { type Filter, withHeaders } from './filter.ts'

/** Characters; upstream cuts a caller's id at this length. */
const AUDIT_ID_LENGTH_MAX = 64

export function audit({ random }: { readonly random: Random }): Filter {
  return (next) => async (call) => {
    const { request } = call
    if (request.wants === 'object') return next(call)
    const given = request.headers['audit-id']?.replace(/[^\x21-\x7e]/g, '').slice(0, AUDIT_ID_LENGTH_MAX)
    const id = given || randomUuid(random)
    const answer = await next({ ...call, request: { ...request, headers: { ...request.headers, 'audit-id': id } } })
    const headers = { 'audit-id': id }
    const cached = Object.keys(answer.headers).some((name) => name.toLowerCase() === 'cache-control')
    return withHeaders(answer, cached ? headers : { ...headers, 'cache-control': 'no-cache, private' })
  }
}
