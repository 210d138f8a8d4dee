/**
 * The one error type that reaches users: an `ApiError` carries a `Status`. It is made by the factories
 * below, one per reason of the API; `toStatus` at the rim translates everything else to a 500 without
 * details. Reasons, codes and messages: apimachinery's `errors` package, which clients match on.
 */

import { type FieldError, fieldErrorsText } from './field-error.ts'
import { groupResource } from './group-version.ts'
import type { ListMeta } from './object.ts'

export interface StatusCause {
  readonly reason?: string | undefined
  readonly message?: string | undefined
  readonly field?: string | undefined
}

export interface StatusDetails {
  readonly name?: string | undefined
  readonly group?: string | undefined
  readonly kind?: string | undefined
  readonly uid?: string | undefined
  readonly causes?: readonly StatusCause[] | undefined
  readonly retryAfterSeconds?: number | undefined
}

export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: ListMeta
  readonly status: 'Success' | 'Failure'
  readonly message?: string | undefined
  readonly reason?: string | undefined
  readonly details?: StatusDetails | undefined
  readonly code?: number | undefined
}

export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: Status

  constructor(code: number, reason: string, message: string, details?: StatusDetails, metadata: ListMeta = {}) {
    super(message)
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata,
      status: 'Failure',
      message,
      // Some failures have none.
      ...(reason === '' ? {} : { reason }),
      details: details && withoutEmpty(details),
      code,
    }
  }

  get code(): number {
    return this.status.code ?? 500
  }

  get reason(): string {
    return this.status.reason ?? ''
  }
}

/** An answer says nothing of a group, a name or a kind that is empty. */
function withoutEmpty(details: StatusDetails): StatusDetails {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== ''))
}

/** A resource as errors name it. */
export interface ResourceName {
  readonly group: string
  readonly resource: string
  /** What the objects are stored as: errors name that. */
  readonly storedAs?: { readonly group: string; readonly resource: string } | undefined
}

function qualified(name: ResourceName): string {
  const { group, resource } = name.storedAs ?? name
  return groupResource(group, resource)
}

function details(named: ResourceName, name: string): StatusDetails {
  const { group, resource } = named.storedAs ?? named
  return { name, group, kind: resource }
}

export function notFound(resource: ResourceName, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${qualified(resource)} "${name}" not found`, details(resource, name))
}

export function alreadyExists(resource: ResourceName, name: string): ApiError {
  return new ApiError(409, 'AlreadyExists', `${qualified(resource)} "${name}" already exists`, details(resource, name))
}

export function conflict(resource: ResourceName, name: string, detail: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${detail}`
  return new ApiError(409, 'Conflict', message, details(resource, name))
}

/** What an update with a stale resourceVersion answers. */
export const OBJECT_MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again'

/** Findings named in one refusal: the rest would only say the same, a hundred thousand times. */
const INVALID_CAUSES_MAX = 500

export function invalid(
  named: Omit<ResourceName, 'resource'> & { readonly kind: string },
  name: string,
  errors: readonly FieldError[],
): ApiError {
  const { kind } = named
  const { group } = named.storedAs ?? named
  const findings = errors.slice(0, INVALID_CAUSES_MAX)
  const message = `${groupResource(group, kind)} "${name}" is invalid: ${fieldErrorsText(findings)}`
  const causes = findings.map(({ type, path, message }) => ({ reason: type, message, field: path }))
  return new ApiError(422, 'Invalid', message, { ...(name !== '' && { name }), group, kind, causes })
}

/** 422 without a word on the cause: what a JSON patch that does not apply answers. */
export function unprocessable(): ApiError {
  return new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
}

/** 409 of a server-side apply; one cause per field that another manager holds. */
export function applyConflict(message: string, causes: readonly StatusCause[]): ApiError {
  return new ApiError(409, 'Conflict', message, { causes })
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message)
}

export function unauthorized(message = 'Unauthorized'): ApiError {
  return new ApiError(401, 'Unauthorized', message)
}

export function forbiddenRequest(resource: ResourceName, name: string, detail: string): ApiError {
  const subject = name === '' ? qualified(resource) : `${qualified(resource)} "${name}"`
  return new ApiError(403, 'Forbidden', `${subject} is forbidden: ${detail}`, details(resource, name))
}

export function forbiddenPath(path: string, detail: string, reason = ''): ApiError {
  const place = path === '' ? '' : ` path "${path}"`
  return new ApiError(403, 'Forbidden', `forbidden: ${detail}${place}${reason === '' ? '' : `: ${reason}`}`, {})
}

/** A path that exists, though not for this method. */
export function methodNotAllowed(): ApiError {
  return new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
}

/** There is a route, and nothing behind it that does this. */
export function methodNotSupported({ group, resource }: ResourceName, verb: string): ApiError {
  const message = `${verb} is not supported on resources of kind "${groupResource(group, resource)}"`
  return new ApiError(405, 'MethodNotAllowed', message, { group, kind: resource })
}

/** No route: what an unknown group, version or resource answers. */
export function pageNotFound(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {})
}

export function notAcceptable(mediaTypes: readonly string[]): ApiError {
  const message = `only the following media types are accepted: ${mediaTypes.join(', ')}`
  return new ApiError(406, 'NotAcceptable', message)
}

export function unsupportedMediaType(mediaTypes: readonly string[]): ApiError {
  const types = mediaTypes.join(', ')
  const message = `the body of the request was in an unknown format - accepted media types include: ${types}`
  return new ApiError(415, 'UnsupportedMediaType', message)
}

/** Built-in resources leave the refusal of a patch's type to their router. */
export function unsupportedPatchType(): ApiError {
  return new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})
}

export function requestEntityTooLarge(message: string): ApiError {
  return new ApiError(413, 'RequestEntityTooLarge', message)
}

/** 413 of a body with more bytes than one may have. */
export function bodyTooLarge(bytesMax: number): ApiError {
  return requestEntityTooLarge(`Request entity too large: limit is ${bytesMax}`)
}

/** 410: the asked revision is no longer kept, or a continue token is too old; `metadata` then has one to go on with. */
export function expired(message: string, metadata: ListMeta = {}): ApiError {
  return new ApiError(410, 'Expired', message, undefined, metadata)
}

export function gone(message: string): ApiError {
  return new ApiError(410, 'Gone', message)
}

export function tooManyRequests(message: string, retryAfterSeconds: number, causes?: readonly StatusCause[]): ApiError {
  return new ApiError(429, 'TooManyRequests', message, { retryAfterSeconds, causes })
}

export function timeout(message: string, retryAfterSeconds = 0): ApiError {
  return new ApiError(504, 'Timeout', `Timeout: ${message}`, { retryAfterSeconds })
}

export function serviceUnavailable(message: string): ApiError {
  return new ApiError(503, 'ServiceUnavailable', message)
}

export function internalError(message: string): ApiError {
  return new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] })
}

/** Rebuilds the error of a `Status` that came over the wire. */
export function fromStatus(status: Status): ApiError {
  return new ApiError(status.code ?? 500, status.reason ?? '', status.message ?? '', status.details)
}

/** The only translator from "anything thrown" to what a caller may see. Details of unknown errors are for the log. */
export function toStatus(error: unknown): Status {
  if (error instanceof ApiError) return error.status
  return internalError('the server met an unexpected condition; see its log').status
}

export function isApiError(error: unknown, reason: string): error is ApiError {
  return error instanceof ApiError && error.reason === reason
}

export const isNotFound = (error: unknown): error is ApiError => isApiError(error, 'NotFound')
export const isConflict = (error: unknown): error is ApiError => isApiError(error, 'Conflict')
export const isAlreadyExists = (error: unknown): error is ApiError => isApiError(error, 'AlreadyExists')
export const isExpired = (error: unknown): error is ApiError =>
  isApiError(error, 'Expired') || isApiError(error, 'Gone')

/** For `catch` after a get: what is not there is an answer, everything else is thrown on. */
export function undefinedIfNotFound(error: unknown): undefined {
  if (!isNotFound(error)) throw error
  return undefined
}
