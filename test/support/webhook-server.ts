/** A webhook on the loopback interface: a real HTTPS server with a certificate of an authority of its own. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { systemClock } from '../../src/base/clock.ts'
import { seededRandom } from '../../src/base/random.ts'
import { createCertificateAuthority } from '../../src/server/auth/certificate-authority.ts'

export type WebhookAnswer = (request: IncomingMessage, response: ServerResponse, body: string) => void

export interface WebhookServer extends AsyncDisposable {
  readonly port: number
  /** As a webhook's `clientConfig` has it. */
  readonly caBundle: string
  /** What requests are answered with; may be set anew at any time. */
  answer: WebhookAnswer
}

const parts = { clock: systemClock, random: seededRandom(1) }

/** Reached as this name, or as 127.0.0.1. */
export async function startWebhookServer(name: string): Promise<WebhookServer> {
  const authority = await createCertificateAuthority('webhook-authority', parts)
  const { certificate, key } = await authority.issueServer({ commonName: name, names: [name, '127.0.0.1'] })
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => webhook.answer(request, response, Buffer.concat(chunks).toString('utf8')))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const webhook: WebhookServer = {
    port: (server.address() as AddressInfo).port,
    caBundle: Buffer.from(authority.certificate).toString('base64'),
    answer: (_, response) => void response.end('{}'),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return webhook
}

/** The bundle of an authority that has signed nothing. */
export async function otherAuthority(): Promise<string> {
  const { certificate } = await createCertificateAuthority('other-authority', parts)
  return Buffer.from(certificate).toString('base64')
}
