/** A kubelet's `/stats/summary`, over the connection that the server has to its nodes. */

import type { IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { type Backend, requestOptions } from '../backend.ts'
import { collect } from '../outbound/framing.ts'
import type { StatsSummary } from './samples.ts'

const TIMEOUT_MS = 5000
const BYTES_MAX = 16 * 1024 * 1024

export function fetchSummary(backend: Backend): Promise<StatsSummary> {
  return new Promise((resolve, reject) => {
    const options = { ...requestOptions(backend), path: '/stats/summary', agent: false, timeout: TIMEOUT_MS }
    const sent = requestHttps({ ...options, signal: AbortSignal.timeout(TIMEOUT_MS) }, (response) => {
      readJson(response).then(resolve, reject)
    })
    sent.once('timeout', () => sent.destroy(new Error('the connection timed out')))
    sent.once('error', reject)
    sent.end()
  })
}

async function readJson(response: IncomingMessage): Promise<StatsSummary> {
  if (response.statusCode !== 200) {
    response.destroy()
    throw new Error(`the node answered with ${response.statusCode}`)
  }
  const bytes = await collect(response, BYTES_MAX)
  if (bytes === undefined) throw new Error('the node answered with too much')
  // Only nodes of this cluster show the certificate that was asked for.
  return JSON.parse(bytes.toString()) as StatsSummary
}
