/** Which paths belong to a version of a group, read as authorization reads them: pure. */

import type { GroupVersion } from '../../machinery/meta/group-version.ts'

/** `apis`, group and version. */
const VERSION_SEGMENTS = 3

export type RemotePlace = GroupVersion | { readonly group: string; readonly version?: undefined }

/**
 * The version of `/apis/<group>/<version>` and everything below it, and of the OpenAPI document of that name. Documents
 * about a group as a whole have none.
 */
export function placeAt(path: string): RemotePlace | undefined {
  const isDocument = path.startsWith('/openapi/v3/')
  const own = isDocument ? path.slice('/openapi/v3'.length) : path
  const [first, root, group = '', version = ''] = own.split('/', VERSION_SEGMENTS + 1).map(decoded)
  if (first !== '' || root !== 'apis' || group === '') return undefined
  if (version === '') return isDocument ? { group } : undefined
  return { group, version }
}

/** Empty where it cannot be decoded: there is no version of that name. */
function decoded(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return ''
  }
}

const UNSOUND: ReadonlySet<string> = new Set(['.', '..'])

/**
 * Whether everybody reads the same in a path. Of what is below a version, only what was read as a resource was judged
 * as one: the rest may be anything to another server.
 */
export function isSound(path: string, isResource: boolean): boolean {
  const segments = path.replace(/\/$/, '').split('/').slice(1).map(decoded)
  if (!isResource && segments[0] === 'apis' && segments.length > VERSION_SEGMENTS) return false
  return !segments.some((segment) => UNSOUND.has(segment) || segment.includes('\\'))
}
