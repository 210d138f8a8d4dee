/** Headers that say who somebody is: each value as it was sent, keys of `…-Extra-` headers as they were meant. */

import { setOwn } from '../../base/deep-freeze.ts'
import type { ApiRequest } from '../../machinery/wire/message.ts'

type Headers = Pick<ApiRequest, 'headers' | 'rawHeaders'>

/** Whether the name of any header begins so. */
export function hasHeaderWith({ headers }: Pick<ApiRequest, 'headers'>, prefix: string): boolean {
  for (const name in headers) if (name.startsWith(prefix)) return true
  return false
}

/** Every value of a header that may repeat. Values may contain commas, so the joined form does not tell. */
export function headerValues({ headers, rawHeaders }: Headers, name: string): readonly string[] {
  if (!rawHeaders) return headers[name] === undefined ? [] : [headers[name]]
  const found: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const value = rawHeaders[index + 1]
    if (rawHeaders[index]?.toLowerCase() === name && value !== undefined) found.push(value)
  }
  return found
}

/** The values of all headers that begin with the prefix, by the rest of their names. */
export function extraValues(request: Headers, prefix: string): Readonly<Record<string, readonly string[]>> {
  const extra: Record<string, readonly string[]> = {}
  for (const header of Object.keys(request.headers))
    if (header.startsWith(prefix)) setOwn(extra, unescaped(header.slice(prefix.length)), headerValues(request, header))
  return extra
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}
