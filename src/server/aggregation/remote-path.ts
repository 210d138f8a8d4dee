/** Which paths belong to a version of a group, read as authorization reads them: pure. */

import type { GroupVersion } from '../../machinery/meta/group-version.ts'

/** `apis`, group and version. */
const VERSION_SEGMENTS = 3

const DOCUMENTS = '/openapi/v3/'

/** The version of `/apis/<group>/<version>` and everything below it. */
export function versionAt(path: string): GroupVersion | undefined {
  const [first, root, group = '', version = ''] = path.split('/', VERSION_SEGMENTS + 1).map(decoded)
  if (first !== '' || root !== 'apis' || group === '' || version === '') return undefined
  return { group, version }
}

/** The name of an OpenAPI v3 document that is not about this server's core group. */
export function documentAt(path: string): string | undefined {
  return path.startsWith(`${DOCUMENTS}apis/`) ? path.slice(DOCUMENTS.length) : undefined
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
  // An escaped slash is one to some.
  const parts = segments.flatMap((segment) => segment.split('/'))
  return !parts.some((part) => UNSOUND.has(part) || part.includes('\\'))
}
