/** What went wrong with a call to a webhook, in upstream's words: people and tests look for them. */

import { DeadlineExceeded } from '../../base/deadline.ts'
import { messageOf } from '../../base/error-text.ts'

/** Certificates that no authority of the bundle vouches for, by the codes of the TLS library. */
const UNKNOWN_AUTHORITY: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
])
const OUT_OF_TIME: ReadonlySet<string> = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])
const SYSTEM_ERRORS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connect: connection refused'],
  ['EHOSTUNREACH', 'connect: no route to host'],
  ['ENETUNREACH', 'connect: network is unreachable'],
  ['ETIMEDOUT', 'i/o timeout'],
])

interface Coded {
  readonly code: string
  readonly address?: string | undefined
  readonly port?: number | undefined
  readonly hostname?: string | undefined
}

/** Why a call has no answer: its time was over, whoever asked has gone, or there is no connection. */
export function callFailure(error: unknown, { aborted, reason }: AbortSignal): string {
  if (!aborted) return dialFailure(error)
  return reason instanceof DeadlineExceeded ? 'context deadline exceeded' : 'context canceled'
}

/** Why there is no connection. */
export function dialFailure(error: unknown): string {
  if (!isCoded(error)) return messageOf(error)
  const { code, address = '', port = 0, hostname = '' } = error
  const system = SYSTEM_ERRORS.get(code)
  if (system !== undefined) return `dial tcp ${address.includes(':') ? `[${address}]` : address}:${port}: ${system}`
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${hostname}: no such host`
  if (code === 'ECONNRESET') return 'EOF'
  const failed = 'tls: failed to verify certificate: x509:'
  if (UNKNOWN_AUTHORITY.has(code)) return `${failed} certificate signed by unknown authority`
  if (OUT_OF_TIME.has(code)) return `${failed} certificate has expired or is not yet valid`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `${failed} certificate is not valid for the name that was called`
  return messageOf(error)
}

function isCoded(error: unknown): error is Coded {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}

/** Characters of an answer that a message repeats. */
const SHOWN_CHARACTERS_MAX = 2048

/** What an answer without success means. A `Status` speaks for itself. */
export function refusal(statusCode: number, text: string): string {
  const message = statusMessage(text)
  if (message !== undefined) return message
  if (statusCode === 404) return 'the server could not find the requested resource'
  if (statusCode >= 500) {
    const shown = JSON.stringify(text.slice(0, SHOWN_CHARACTERS_MAX).trim())
    return `an error on the server (${shown}) has prevented the request from succeeding`
  }
  return 'the server rejected our request for an unknown reason'
}

function statusMessage(text: string): string | undefined {
  try {
    const { kind, message } = JSON.parse(text) as { readonly kind?: unknown; readonly message?: unknown }
    return kind === 'Status' && typeof message === 'string' ? message : undefined
  } catch {
    return undefined
  }
}
