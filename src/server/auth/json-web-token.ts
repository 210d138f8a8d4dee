/**
 * Signing keys and the tokens they sign: ES256, RS256 where a key is RSA. The first key signs, all verify, so
 * that keys can be rotated. The library is loaded with the first use.
 */

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { JSONWebKeySet, JWTPayload } from 'jose'
import { assert } from '../../base/assert.ts'

export interface TokenKeys {
  sign(claims: JWTPayload): Promise<string>
  /** The claims of a token that one of the keys signed, of whatever age and for whomever. Throws otherwise. */
  verify(token: string): Promise<JWTPayload>
  /** The public halves, for others that verify. */
  published(): Promise<JSONWebKeySet>
}

export function generateSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

const algorithmOf = (key: KeyObject): 'RS256' | 'ES256' => (key.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256')

/** `pems`: the first is private, PKCS#8 or an older form, and signs; of the others public halves do. */
export function createTokenKeys(pems: readonly string[]): TokenKeys {
  const [first] = pems
  assert(first !== undefined, 'there is a signing key')
  const signing = createPrivateKey(first)
  const keys = pems.map((pem) => createPublicKey(pem))
  const prepare = async () => {
    const jose = await import('jose')
    const published = await Promise.all(
      keys.map(async (key) => {
        const jwk = await jose.exportJWK(key)
        return { ...jwk, use: 'sig', alg: algorithmOf(key), kid: await jose.calculateJwkThumbprint(jwk) }
      }),
    )
    return { jose, set: { keys: published }, resolve: jose.createLocalJWKSet({ keys: published }) }
  }
  let prepared: ReturnType<typeof prepare> | undefined
  const ready = () => {
    prepared ??= prepare()
    return prepared
  }
  return {
    async sign(claims) {
      const { jose, set } = await ready()
      const header = { alg: algorithmOf(signing), kid: set.keys[0]?.kid ?? '' }
      return new jose.SignJWT(claims).setProtectedHeader(header).sign(signing)
    },
    async verify(token) {
      const { jose, resolve } = await ready()
      const { payload } = await jose.compactVerify(token, resolve, { algorithms: ['ES256', 'RS256'] })
      const claims: unknown = JSON.parse(new TextDecoder().decode(payload))
      assert(typeof claims === 'object' && claims !== null, 'the payload of a signed token is an object')
      return claims as JWTPayload
    },
    published: async () => (await ready()).set,
  }
}
