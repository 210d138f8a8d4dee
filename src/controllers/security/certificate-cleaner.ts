/** certificatesigningrequest-cleaner-controller: requests that are answered, or never will be, go after a while. */

import { X509Certificate } from 'node:crypto'
import { certificateSigningRequests } from '../../apis/certificates/certificate-signing-request.ts'
import type { CertificateSigningRequest } from '../../apis/certificates/types.gen.ts'
import { parseTime } from '../../machinery/meta/time.ts'
import { deleteAction } from '../runtime/action.ts'
import { defineController, type Plan } from '../runtime/controller.ts'
import { condition, isIssued } from './certificate-verdicts.ts'

const HOUR_MS = 3_600_000
/** Upstream's: long enough to fetch a certificate, and to look at a request that nobody has answered. */
const ANSWERED_MS = HOUR_MS
const UNANSWERED_MS = 24 * HOUR_MS

export const certificateCleaner = defineController({
  name: 'certificatesigningrequest-cleaner-controller',
  reconciles: certificateSigningRequests,
  observe: (cache, key) => cache.get(certificateSigningRequests, key),
  plan: planCertificateCleaning,
})

export function planCertificateCleaning(request: CertificateSigningRequest, nowMs: number): Plan {
  const ends = endsMs(request)
  if (ends.length === 0) return { actions: [] }
  const endMs = Math.min(...ends)
  if (nowMs > endMs) return { actions: [deleteAction(certificateSigningRequests, request)] }
  return { actions: [], requeueAfterMs: endMs - nowMs + 1 }
}

/** All that ends a request; the first counts. */
function endsMs(request: CertificateSigningRequest): readonly number[] {
  const issued = isIssued(request)
  const approved = condition(request, 'Approved')
  const after = (time: string | null | undefined, ms: number): readonly number[] => {
    const startMs = time ? parseTime(time) : undefined
    return startMs === undefined ? [] : [startMs + ms]
  }
  return [
    ...(approved ? after(approved.lastUpdateTime, issued ? ANSWERED_MS : UNANSWERED_MS) : []),
    ...(approved && issued ? certificateEndMs(request) : []),
    ...after(condition(request, 'Denied')?.lastUpdateTime, ANSWERED_MS),
    ...after(condition(request, 'Failed')?.lastUpdateTime, ANSWERED_MS),
    ...(request.status?.conditions?.length ? [] : after(request.metadata.creationTimestamp, UNANSWERED_MS)),
  ]
}

/** Whoever signs may write what they like there. */
function certificateEndMs({ status }: CertificateSigningRequest): readonly number[] {
  try {
    return [Date.parse(new X509Certificate(Buffer.from(status?.certificate ?? '', 'base64')).validTo)]
  } catch {
    return []
  }
}
