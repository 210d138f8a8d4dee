/**
 * Keeps one certificate of the node from ending: late in its life a new key is made, the cluster is asked to sign it by a
 * CertificateSigningRequest, and the new pair takes the place of the old. Until that works the old one serves.
 */

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { certificateSigningRequests } from '../../apis/certificates/certificate-signing-request.ts'
import type { CertificateSigningRequest } from '../../apis/certificates/types.gen.ts'
import { type Backoff, backoffMs } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import { deadline } from '../../base/deadline.ts'
import { messageOf } from '../../base/error-text.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import { type CertificateTemplate, createSigningRequest } from './signing-request.ts'

/** PEM both. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

export interface CertificateManagerParts {
  /** Speaks as the node. */
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly signerName: string
  readonly usages: NonNullable<CertificateSigningRequest['spec']['usages']>
  readonly template: CertificateTemplate
  readonly current: KeyPair
  /** Keeps the new pair and uses it from now on. */
  readonly renewed: (pair: KeyPair) => Promise<void>
  readonly failed?: (() => void) | undefined
}

const DAY_MS = 86_400_000
/** How long a request may be unanswered before another is made; upstream's. */
const ANSWER_MS = 15 * 60_000
/** After so long a wait the requests of hours do not pile up, and who approves by hand is not hurried. */
const RETRY: Backoff = { initialMs: 2_000, factor: 2, maxMs: ANSWER_MS, jitter: 0.1 }

/** Runs until the signal aborts. */
export async function keepCertificate(parts: CertificateManagerParts, signal: AbortSignal): Promise<void> {
  const { clock, random, log, signerName } = parts
  let { current } = parts
  for (let attempt = 0; !signal.aborted; ) {
    try {
      if (attempt === 0) await until(clock, rotationMs(current.certificate, random.next()), signal)
      else await clock.sleep(backoffMs(RETRY, attempt - 1, random.next()), signal)
      log.info('a certificate of the node is to be renewed', { signerName })
      current = await requested(parts, signal)
      await parts.renewed(current)
      log.info('a certificate of the node was renewed', { signerName })
      attempt = 0
    } catch (error) {
      if (signal.aborted) return
      attempt++
      parts.failed?.()
      log.warn('a certificate of the node could not be renewed', { signerName, error: messageOf(error) })
    }
  }
}

/** When a certificate is to be replaced: between 70 and 90 % of its life, as upstream. `chance` is in [0, 1). */
export function rotationMs(certificate: string, chance: number): number {
  const { validFrom, validTo } = new X509Certificate(certificate)
  const startMs = Date.parse(validFrom)
  return startMs + (Date.parse(validTo) - startMs) * (0.7 + 0.2 * chance)
}

/** Timers do not run while a machine sleeps, and have an end: the time is looked at every day. */
async function until(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  for (let leftMs = ms - clock.now(); leftMs > 0; leftMs = ms - clock.now())
    await clock.sleep(Math.min(leftMs, DAY_MS), signal)
}

async function requested(parts: CertificateManagerParts, signal: AbortSignal): Promise<KeyPair> {
  const { client, clock, signerName, usages, template } = parts
  const { request, key } = createSigningRequest(template)
  const created = await client.of(certificateSigningRequests).create({
    metadata: { generateName: 'csr-' },
    spec: { request: Buffer.from(request).toString('base64'), signerName, usages },
  })
  using limit = deadline(clock, ANSWER_MS, signal)
  const certificate = await answered(client, created, limit.signal)
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
    throw new Error(`the certificate of request ${created.metadata.name} is for another key`)
  return { certificate, key }
}

/** The certificate in PEM. Throws when there will be none. */
async function answered(client: Client, created: CertificateSigningRequest, signal: AbortSignal): Promise<string> {
  const { name = '', resourceVersion } = created.metadata
  const requests = client.of(certificateSigningRequests)
  for (let from = resourceVersion; ; from = undefined) {
    const selection = { fieldSelector: `metadata.name=${name}` }
    for await (const { type, object } of requests.watch({ ...selection, resourceVersion: from, signal })) {
      if (type === 'DELETED') throw new Error(`request ${name} was deleted before it was answered`)
      const certificate = certificateOf(object)
      if (certificate !== undefined) return certificate
    }
    signal.throwIfAborted()
  }
}

function certificateOf({ metadata, status }: CertificateSigningRequest): string | undefined {
  const refusal = status?.conditions?.find(({ type }) => type === 'Denied' || type === 'Failed')
  if (refusal)
    throw new Error(`request ${metadata.name} was ${refusal.type.toLowerCase()}: ${refusal.message || refusal.reason}`)
  return status?.certificate ? Buffer.from(status.certificate, 'base64').toString('utf8') : undefined
}
