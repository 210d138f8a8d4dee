/** What the node tells of its serving certificate, under upstream's metric names. Made when there is something to tell. */

import { X509Certificate } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { createMetrics } from '../../base/metrics.ts'

export interface NodeMetrics {
  /** The certificate that is shown from now on, in PEM. */
  shows(certificate: string): void
  /** A renewal has not worked. */
  renewalFailed(): void
  /** The text exposition format, and its content type. */
  exposition(): Promise<{ readonly text: string; readonly contentType: string }>
}

const DAY_SECONDS = 86_400
/** Upstream's: from a minute over days and months to four years. */
const AGE_BUCKETS = [60, 3_600, 14_400, ...[1, 7, 30, 90, 180, 360, 1_440].map((days) => days * DAY_SECONDS)]

export function createNodeMetrics(clock: Clock): NodeMetrics {
  let shown: string | undefined
  let made: ReturnType<typeof makeMetrics> | undefined
  const metrics = () => {
    made ??= makeMetrics()
    return made
  }
  return {
    shows(certificate) {
      if (shown !== undefined) metrics().age({}, secondsBetween(new X509Certificate(shown).validFrom, clock.now()))
      shown = certificate
    },
    renewalFailed: () => metrics().failures(),
    async exposition() {
      const { all, left } = metrics()
      if (shown !== undefined) left({}, -secondsBetween(new X509Certificate(shown).validTo, clock.now()))
      return { text: await all.text(), contentType: all.contentType }
    },
  }
}

function secondsBetween(time: string, nowMs: number): number {
  return Math.trunc((nowMs - Date.parse(time)) / 1_000)
}

function makeMetrics() {
  const all = createMetrics()
  return {
    all,
    left: all.gauge(
      'kubelet_certificate_manager_server_ttl_seconds',
      'How long the serving certificate is still good, in seconds; negative when it has ended.',
    ),
    age: all.histogram(
      'kubelet_certificate_manager_server_rotation_seconds',
      'How old serving certificates were when they were replaced, in seconds.',
      AGE_BUCKETS,
    ),
    failures: all.counter('kubelet_server_expiration_renew_errors', 'Renewals of the serving certificate that failed.'),
  }
}
