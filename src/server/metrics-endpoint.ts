/** `/metrics`: everything the process counts, as text. */

import type { Metrics } from '../base/metrics.ts'
import type { Handler } from '../machinery/wire/message.ts'

export function metricsEndpoint(metrics: Metrics): Handler {
  return async () => ({
    status: 200,
    headers: { 'content-type': metrics.contentType },
    body: { type: 'bytes', bytes: Buffer.from(await metrics.text()) },
  })
}
