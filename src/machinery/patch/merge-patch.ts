/** JSON merge patch (RFC 7386): null removes, objects merge, all else replaces. Shares what it does not change. */

import { setOwn, shallowCopy } from '../../base/deep-freeze.ts'
import { isRecord } from '../../base/is-record.ts'
import { badRequest } from '../meta/api-error.ts'

/** Levels of nesting that the stack certainly holds; no object of the API comes near. */
const PATCH_DEPTH_MAX = 1_000

/** The patched document; neither argument changes. Throws 400 for a patch that is nested too deeply. */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  return mergeAt(document, patch, 0)
}

function mergeAt(document: unknown, patch: unknown, depth: number): unknown {
  if (depth > PATCH_DEPTH_MAX) throw badRequest('error decoding patch: exceeded max depth')
  if (!isRecord(patch)) return patch
  const result: Record<string, unknown> = isRecord(document) ? shallowCopy(document) : {}
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (value === null || value === undefined) delete result[key]
    else setOwn(result, key, mergeAt(Object.hasOwn(result, key) ? result[key] : undefined, value, depth + 1))
  }
  return result
}
