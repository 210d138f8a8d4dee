/** Conditions of a certificate request: who may change which, and when they changed. */

import { formatTime } from '../../machinery/meta/time.ts'
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from './types.gen.ts'

/** What `/approval` says and `/status` does not change. */
export const VERDICTS = ['Approved', 'Denied'] as const

export function conditionsOf(
  { status }: CertificateSigningRequest,
  type: string,
): readonly CertificateSigningRequestCondition[] {
  return (status?.conditions ?? []).filter((condition) => condition.type === type)
}

/** Verdicts stay as they were. Added and removed ones are left for validation to refuse. */
export function withKeptVerdicts(
  object: CertificateSigningRequest,
  previous: CertificateSigningRequest,
): CertificateSigningRequest {
  const kept = VERDICTS.flatMap((type) => {
    const before = conditionsOf(previous, type)
    return before.length === conditionsOf(object, type).length ? before : []
  })
  if (kept.length === 0) return object
  const conditions = object.status?.conditions?.map((condition) => {
    const index = kept.findIndex(({ type }) => type === condition.type)
    return kept.splice(index, index < 0 ? 0 : 1)[0] ?? condition
  })
  return { ...object, status: { ...object.status, conditions } }
}

/** Fills in times that are not given; a condition that had this status before keeps when it got it. */
export function withConditionTimes(
  object: CertificateSigningRequest,
  previous: CertificateSigningRequest,
  nowMs: number,
): CertificateSigningRequest {
  const { status } = object
  if (!status?.conditions) return object
  const now = formatTime(nowMs)
  const conditions = status.conditions.map((condition) => {
    const before = conditionsOf(previous, condition.type).find(
      ({ status: had, lastTransitionTime }) => had === condition.status && lastTransitionTime,
    )
    return {
      ...condition,
      lastUpdateTime: condition.lastUpdateTime || now,
      lastTransitionTime: condition.lastTransitionTime || (before?.lastTransitionTime ?? now),
    }
  })
  return { ...object, status: { ...status, conditions } }
}
