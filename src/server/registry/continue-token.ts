/**
 * Where a list goes on: an opaque token of the revision that is being read and the last key that was returned.
 * As upstream's, it is base64 of `{"v":"meta.k8s.io/v1","rv":42,"start":"default/web\u0000"}`; a revision of -1 means
 * "at the newest", for clients that go on with an inconsistent list.
 */

import { badRequest } from '../../machinery/meta/api-error.ts'

export interface ContinueToken {
  /** -1: at the newest. */
  readonly revision: number
  /** The last key that was returned, below the list's prefix. */
  readonly after: string
}

const VERSION = 'meta.k8s.io/v1'
/** Bytes. A namespace and a name have at most 63 + 253 characters. */
const TOKEN_BYTES_MAX = 4_096

export function encodeContinueToken({ revision, after }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: VERSION, rv: revision, start: `${after}\0` })).toString('base64url')
}

/** Throws 400 for anything that `encodeContinueToken` did not make. */
export function decodeContinueToken(text: string): ContinueToken {
  const token = parsed(text)
  if (typeof token !== 'object' || token === null) throw invalidToken('invalid token')
  const version = 'v' in token ? token.v : undefined
  const revision = 'rv' in token ? token.rv : undefined
  const start = 'start' in token ? token.start : undefined
  if (version !== VERSION) throw invalidToken(`server does not recognize this encoded version "${String(version)}"`)
  if (typeof revision !== 'number' || !Number.isSafeInteger(revision) || revision === 0 || revision < -1)
    throw invalidToken('incorrect encoded start resourceVersion (version meta.k8s.io/v1)')
  if (typeof start !== 'string' || start.length < 2 || !start.endsWith('\0'))
    throw invalidToken('encoded start key empty (version meta.k8s.io/v1)')
  return { revision, after: start.slice(0, -1) }
}

function parsed(text: string): unknown {
  if (text.length > TOKEN_BYTES_MAX) throw invalidToken('too long')
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    throw invalidToken('not encoded as expected')
  }
}

function invalidToken(detail: string): Error {
  return badRequest(`invalid continue token: continue key is not valid: ${detail}`)
}
