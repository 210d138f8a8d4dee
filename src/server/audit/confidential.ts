/**
 * Resources whose bodies are secret. What is wrong with a body is said in words that may repeat it; below the level at
 * which bodies are logged, events on these resources say that something was wrong, and not in those words.
 */

import type { Status } from '../../machinery/meta/api-error.ts'
import type { RequestTarget } from '../auth/authorizer.ts'

const CONFIDENTIAL: ReadonlySet<string> = new Set([
  '/secrets',
  '/serviceaccounts/token',
  'authentication.k8s.io/tokenreviews',
])

const HIDDEN = 'not shown at this level: it may repeat what was sent'

/** Refusals whose words depend on nothing but who asks for what. */
const HARMLESS: ReadonlySet<string> = new Set([
  ...['Unauthorized', 'Forbidden', 'NotFound', 'AlreadyExists', 'Conflict', 'MethodNotAllowed', 'NotAcceptable'],
  ...['UnsupportedMediaType', 'TooManyRequests', 'Timeout', 'Expired', 'RequestEntityTooLarge'],
])

export function isConfidential(target: RequestTarget): boolean {
  if (target.type === 'path') return false
  const part = target.subresource === '' ? '' : `/${target.subresource}`
  return CONFIDENTIAL.has(`${target.group}/${target.resource}${part}`)
}

export function withoutTexts(status: Status): Status {
  if (status.status === 'Success' || HARMLESS.has(status.reason ?? '')) return status
  const { causes, ...details } = status.details ?? {}
  const fields = causes?.map(({ reason, field }) => ({ reason, field }))
  return { ...status, message: HIDDEN, details: status.details && { ...details, ...(fields && { causes: fields }) } }
}
