/**
 * Where a webhook is called: by URL or by Service, checked alike for admission webhooks, conversion webhooks and
 * whatever else the API lets a cluster's owner plug in. Texts: upstream's `webhook` utilities.
 */

import { type FieldError, type FieldPath, invalidValue, required } from '../machinery/meta/field-error.ts'
import { isDns1123Subdomain, isValidPortNumber } from '../machinery/meta/names.ts'

/** A Service that a webhook is reached by. */
export interface WebhookService {
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  readonly path?: string | undefined
  readonly port?: number | undefined
}

/** The port of a webhook's Service when none is named. */
export const WEBHOOK_PORT = 443

const FORM = '; desired format: https://host[/path]'

export function webhookUrlErrors(path: FieldPath, url: string): readonly FieldError[] {
  const parsed = parseUrl(url)
  if (typeof parsed === 'string') return [required(path, `url must be a valid URL: ${parsed}${FORM}`)]
  const { scheme, host, user, query, fragment } = parsed
  return [
    ...(scheme === 'https' ? [] : [invalidValue(path, scheme, `'https' is the only allowed URL scheme${FORM}`)]),
    ...(host === '' ? [invalidValue(path, host, `host must be specified${FORM}`)] : []),
    ...(user === undefined ? [] : [invalidValue(path, user, 'user information is not permitted in the URL')]),
    ...(fragment === '' ? [] : [invalidValue(path, fragment, 'fragments are not permitted in the URL')]),
    ...(query === '' ? [] : [invalidValue(path, query, 'query parameters are not permitted in the URL')]),
  ]
}

interface UrlParts {
  readonly scheme: string
  readonly user: string | undefined
  readonly host: string
  readonly query: string
  readonly fragment: string
}

/** RFC 3986 into parts, without what browsers mend; a text says why it cannot be. */
function parseUrl(url: string): UrlParts | string {
  const failed = (reason: string): string => `parse ${JSON.stringify(url)}: ${reason}`
  if (hasControlCharacter(url)) return failed('net/url: invalid control character in URL')
  const badEscape = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(url)
  if (badEscape) return failed(`invalid URL escape ${JSON.stringify(badEscape[0])}`)
  if (url.startsWith(':')) return failed('missing protocol scheme')
  const [, scheme = '', rest = ''] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(.*)$/.exec(url) ?? []
  const [beforeFragment = '', ...fragments] = rest.split('#')
  const [hierarchy = '', ...queries] = beforeFragment.split('?')
  if (scheme === '' && /^[^/]*:/.test(hierarchy)) return failed('first path segment in URL cannot contain colon')
  const authority = hierarchy.startsWith('//') ? (hierarchy.slice(2).split('/')[0] ?? '') : ''
  const at = authority.lastIndexOf('@')
  const host = authority.slice(at + 1)
  const port = /:([^\]]*)$/.exec(host)?.[0] ?? ''
  if (!/^:?[0-9]*$/.test(port)) return failed(`invalid port ${JSON.stringify(port)} after host`)
  const user = at < 0 ? undefined : authority.slice(0, at)
  return { scheme: scheme.toLowerCase(), user, host, query: queries.join('?'), fragment: fragments.join('#') }
}

function hasControlCharacter(text: string): boolean {
  return Array.from(text).some((character) => character < ' ' || character === '\x7f')
}

export function webhookServiceErrors(path: FieldPath, service: WebhookService): readonly FieldError[] {
  const { namespace = '', name = '', port = WEBHOOK_PORT, path: urlPath } = service
  const portFindings = isValidPortNumber(port)
  return [
    // Upstream takes the one for the other, and clients match what it says.
    ...(namespace === '' ? [required(path.child('name'))] : []),
    ...(name === '' ? [required(path.child('namespace'))] : []),
    ...(portFindings.length === 0
      ? []
      : [invalidValue(path.child('port'), port, `port is not valid: ${portFindings.join(', ')}`)]),
    ...(urlPath === undefined ? [] : urlPathErrors(path.child('path'), urlPath)),
  ]
}

function urlPathErrors(path: FieldPath, urlPath: string): readonly FieldError[] {
  if (urlPath === '/' || urlPath === '') return []
  if (urlPath === '//') return [invalidValue(path, urlPath, 'segment[0] may not be empty')]
  const start = urlPath.startsWith('/') ? [] : [invalidValue(path, urlPath, "must start with a '/'")]
  const segments = urlPath.slice(1).replace(/\/$/, '').split('/')
  return [
    ...start,
    ...segments.flatMap((segment, index) => {
      if (segment === '') return [invalidValue(path, urlPath, `segment[${index}] may not be empty`)]
      return isDns1123Subdomain(segment).map((finding) => invalidValue(path, urlPath, `segment[${index}]: ${finding}`))
    }),
  ]
}
