/** The keys that sign tokens, in files: a private one that signs, and public ones of those before it. */

import { createPublicKey } from 'node:crypto'
import { assert } from '../../base/assert.ts'
import { generateSigningKey } from './json-web-token.ts'
import { loadText, saveText } from './private-files.ts'

/** The key in `path`, then those before it as far as `former` has them; a new key where there is none. */
export async function loadSigningKeys({ path, former }: SigningKeyFiles): Promise<readonly string[]> {
  const stored = await loadText(path)
  if (stored !== undefined) return [stored, ...publicKeysIn((await loadText(former)) ?? '')]
  const created = generateSigningKey()
  await saveText(path, created)
  return [created]
}

/** A new key signs from the next start on; tokens that the old one has signed are still good. */
export async function replaceSigningKey({ path, former }: SigningKeyFiles): Promise<void> {
  const [current, ...before] = await loadSigningKeys({ path, former })
  assert(current !== undefined, 'there is a signing key')
  const published = createPublicKey(current).export({ type: 'spki', format: 'pem' }).toString().trim()
  // Remembered first: a key of which nothing is known would make its tokens void.
  await saveText(former, `${[published, ...before.filter((key) => key !== published)].join('\n')}\n`)
  await saveText(path, generateSigningKey())
}

export interface SigningKeyFiles {
  /** PEM: the private key that signs. */
  readonly path: string
  /** PEM: public keys whose tokens are still good, the newest first. */
  readonly former: string
}

function publicKeysIn(text: string): readonly string[] {
  return text.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? []
}
