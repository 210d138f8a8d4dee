/** A new key for encryption at rest: every secret is written again with it, then the oldest keys go. */

import { secrets } from '../../apis/core/secret.ts'
import type { Client } from '../../client/client.ts'
import { ApiError, badRequest } from '../../machinery/meta/api-error.ts'
import { keyOf } from '../../machinery/meta/object.ts'
import type { OwnKeys } from './encryption.ts'

export interface KeyRotation {
  /** The name of the new key. */
  readonly key: string
  /** Secrets that were written with it. */
  readonly written: number
}

/** Secrets asked for at once: bounds the memory of a rotation. */
const PAGE = 500

/** One at a time. When it fails, all keys stay, and what is left is written by the next one. */
export function createKeyRotation(keys: OwnKeys | undefined, client: Client): () => Promise<KeyRotation> {
  let running: Promise<KeyRotation> | undefined
  return () => {
    if (!keys) throw badRequest('the keys of this cluster are in its EncryptionConfiguration: rotate them there')
    running ??= rotate(keys, client).finally(() => {
      running = undefined
    })
    return running
  }
}

async function rotate(keys: OwnKeys, client: Client): Promise<KeyRotation> {
  const key = await keys.add()
  let written = 0
  let next: string | undefined
  do {
    const page = await client.of(secrets).list({ limit: PAGE, ...(next && { continueToken: next }) })
    for (const secret of page.items) {
      // A change of nothing: what was written with another key is written again.
      await client.of(secrets).patch(keyOf(secret), { type: 'merge', body: {} }).catch(unlessGone)
      written++
    }
    next = page.metadata.continue
  } while (next)
  await keys.dropOld()
  return { key, written }
}

function unlessGone(error: unknown): void {
  if (error instanceof ApiError && error.code === 404) return
  throw error
}
