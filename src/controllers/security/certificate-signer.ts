/**
 * certificatesigningrequest-signing-controller: signs what has been approved, for the four signers that are the
 * system's own. A request that does not fit its signer fails, and stays failed.
 */

import { certificateSigningRequests } from '../../apis/certificates/certificate-signing-request.ts'
import {
  KUBELET_CLIENT_SIGNER,
  KUBELET_SERVING_SIGNER,
  kubeletClientFinding,
  kubeletServingFinding,
} from '../../apis/certificates/node-requests.ts'
import { parseSigningRequest, type RequestContents } from '../../apis/certificates/request-contents.ts'
import type { CertificateSigningRequest } from '../../apis/certificates/types.gen.ts'
import type { ControllerParts, LoopController } from '../runtime/controller.ts'
import { keyedLoop } from '../runtime/keyed-loop.ts'
import { condition, isApproved, isIssued, withCondition } from './certificate-verdicts.ts'

export interface CertificateWish {
  /** PEM, PKCS#10. */
  readonly request: string
  readonly usages: readonly string[]
  readonly expirationSeconds: number
}

/** The cluster's authority signs; answers with PEM. */
export type SignCertificate = (wish: CertificateWish) => Promise<string>

const WORKERS = 5
/** Upstream's `cluster-signing-duration`. */
const LIFETIME_SECONDS_MAX = 365 * 24 * 3_600
const LIFETIME_SECONDS_MIN = 10 * 60
/** Certificates that live at least this long end earlier by what they are backdated. */
const LONG_LIFETIME_SECONDS = 8 * 3_600
const BACKDATE_SECONDS = 5 * 60

export function certificateSigner(sign: SignCertificate): LoopController {
  return keyedLoop({
    name: 'certificatesigningrequest-signing-controller',
    definition: certificateSigningRequests,
    workers: WORKERS,
    isDue: (request) => {
      const open = isApproved(request) && !isIssued(request) && !condition(request, 'Failed')
      return open && SIGNERS.has(request.spec.signerName)
    },
    work: (parts, request) => signRequest(parts, request, sign),
  })
}

async function signRequest(
  { client }: ControllerParts,
  request: CertificateSigningRequest,
  sign: SignCertificate,
): Promise<void> {
  const { spec } = request
  const finding = signerFinding(request)
  const answered =
    finding === undefined
      ? { ...request, status: { ...request.status, certificate: base64(await sign(wishOf(spec))) } }
      : withCondition(request, { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: finding })
  await client.of(certificateSigningRequests).update(answered, { subresource: 'status' })
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

function wishOf({ request, usages = [], expirationSeconds }: CertificateSigningRequest['spec']): CertificateWish {
  const pem = Buffer.from(request, 'base64').toString('latin1')
  return { request: pem, usages, expirationSeconds: lifetimeSeconds(expirationSeconds) }
}

export function lifetimeSeconds(wished = LIFETIME_SECONDS_MAX): number {
  const lifetime = Math.min(Math.max(wished, LIFETIME_SECONDS_MIN), LIFETIME_SECONDS_MAX)
  return lifetime < LONG_LIFETIME_SECONDS ? lifetime : lifetime - BACKDATE_SECONDS
}

/** Why a request does not fit its signer; undefined: it does. */
export function signerFinding({ spec }: CertificateSigningRequest): string | undefined {
  const contents = parseSigningRequest(spec.request)
  if (!contents) return 'the request is not a certificate request in PEM'
  return SIGNERS.get(spec.signerName)?.(contents, spec.usages ?? [])
}

type Finding = (contents: RequestContents, usages: readonly string[]) => string | undefined

const SIGNERS: ReadonlyMap<string, Finding> = new Map<string, Finding>([
  [KUBELET_CLIENT_SIGNER, kubeletClientFinding],
  [KUBELET_SERVING_SIGNER, kubeletServingFinding],
  ['kubernetes.io/kube-apiserver-client', (_, usages) => clientUsagesFinding(usages)],
  // Whatever was signed before there were signers.
  ['kubernetes.io/legacy-unknown', () => undefined],
])

const CLIENT_USAGES: ReadonlySet<string> = new Set(['client auth', 'digital signature', 'key encipherment'])

function clientUsagesFinding(usages: readonly string[]): string | undefined {
  const strange = usages.find((usage) => !CLIENT_USAGES.has(usage))
  if (strange !== undefined) return `invalid usage for client certificate: ${strange}`
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth'
}
