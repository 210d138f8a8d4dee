import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../base/random.ts'
import { aesCbc, aesGcm } from './ciphers.ts'
import { secretbox } from './secretbox.ts'
import { byPrefix, plain, type Transformer } from './transformers.ts'

const random = seededRandom(1)
const secretOf = (text: string, bytes = 32) => createHash('sha256').update(text).digest().subarray(0, bytes)
const value = Buffer.from('{"kind":"Secret","data":{"password":"c2VjcmV0"}}')

const CIPHERS: readonly (readonly [name: string, make: (secret: Uint8Array) => Transformer])[] = [
  ['AES-GCM', (secret) => aesGcm(secret, random)],
  ['AES-CBC', (secret) => aesCbc(secret, random)],
  ['secretbox', (secret) => secretbox(secretOf(Buffer.from(secret).toString('hex')), random)],
]

for (const [name, make] of CIPHERS) {
  describe(name, () => {
    for (const bytes of [16, 24, 32])
      test(`a key of ${bytes} bytes brings a value back, and hides it`, () => {
        const transformer = make(secretOf('a', bytes))
        for (const one of [value, Buffer.alloc(0), Buffer.alloc(100_000, 'x')]) {
          const sealed = transformer.seal(one, '/k')
          expect(Buffer.from(sealed).includes('c2VjcmV0')).toBe(false)
          expect(transformer.open(sealed, '/k')).toEqual({ value: one, stale: false })
        }
      })

    test('the same value is never written twice in the same bytes', () => {
      const transformer = make(secretOf('a'))
      expect(transformer.seal(value, '/k')).not.toEqual(transformer.seal(value, '/k'))
    })

    test('a value that is too short is refused', () => {
      expect(() => make(secretOf('a')).open(Buffer.alloc(3), '/k')).toThrow(
        'the stored data was shorter than the required size',
      )
    })
  })
}

test('a key of another length is a mistake', () => {
  expect(() => aesGcm(secretOf('a', 15), random)).toThrow('a key of AES has 16, 24 or 32 bytes, not 15')
})

// What the transformers of k8s.io/apiserver v0.36.3 wrote, under the same key and secret.
for (const [name, transformer, stored] of [
  [
    'AES-GCM',
    aesGcm(secretOf('a'), random),
    'b7b5354599a80e08e247e3684db367b4513f3d4d0698a2170773e1eb7b33d5faac6a09b18e4be7b1ecf0c4693035f30f7a7c1e968afa95d0' +
      '400898aa94316d84a1cbf726a217dcaf0737fcd0',
  ],
  [
    'AES-CBC',
    aesCbc(secretOf('a'), random),
    '3b7ca532a27c37a9a177a0b8f411b8181455b1485ab9e326ba8e65a9f9a525fa6f6f90305babbb025625819f9150ab501beb549b6c460346' +
      'a438dce8e6b4b6c3d6597af96f44c1758892fe844d597a0b',
  ],
  [
    'secretbox',
    secretbox(secretOf('a'), random),
    '04b1be00f9db95b9dd1cc921348e213ba10ee29ad07d64bc3e9c80fb5e0cc1bfb0172e7bae900878c07817ebbccbfe05a10b5c119034e15c' +
      '29c5c7d8a3e3830f1514fc618ce0d0d101106615dbcf15d2078292a65af1c759',
  ],
] as const)
  test(`${name} reads what upstream writes`, () => {
    const opened = transformer.open(Buffer.from(stored, 'hex'), '/registry/secrets/default/a')
    expect(opened.value.toString()).toBe(value.toString())
  })

test('secretbox notices a flipped bit', () => {
  const transformer = secretbox(secretOf('a'), random)
  const sealed = Buffer.from(transformer.seal(value, '/k'))
  for (const at of [0, 30, sealed.length - 1])
    expect(() => transformer.open(flipped(sealed, at), '/k')).toThrow('output array was not large enough')
})

describe('AES-GCM notices', () => {
  const transformer = aesGcm(secretOf('a'), random)
  const sealed = Buffer.from(transformer.seal(value, '/k'))
  for (const [what, stored, key] of [
    ['a flipped bit of the nonce', flipped(sealed, 0), '/k'],
    ['a flipped bit of the text', flipped(sealed, 20), '/k'],
    ['a flipped bit of the tag', flipped(sealed, sealed.length - 1), '/k'],
    ['a missing end', sealed.subarray(0, -1), '/k'],
    ['nothing but a nonce', sealed.subarray(0, 12), '/k'],
    ['a value that was moved to another key', sealed, '/other'],
  ] as const)
    test(what, () => {
      expect(() => transformer.open(stored, key)).toThrow('cipher: message authentication failed')
    })
})

describe('prefixes', () => {
  const identity = () => plain('enc:', 'plain was asked to read encrypted data')
  const old = aesGcm(secretOf('old'), random)
  const next = aesGcm(secretOf('next'), random)
  const keys = (choices: Readonly<Record<string, Transformer>>) =>
    byPrefix(
      Object.entries(choices).map(([prefix, transformer]) => ({ prefix, transformer })),
      'no matching key',
    )
  const before = keys({ 'enc:gcm:': keys({ 'old:': old }), '': identity() })
  const rotated = keys({ 'enc:gcm:': keys({ 'next:': next, 'old:': old }), '': identity() })

  test('say who wrote a value; what the first one did not write is stale', () => {
    const sealed = before.seal(value, '/k')
    expect(Buffer.from(sealed).toString('latin1')).toMatch(/^enc:gcm:old:/)
    expect(before.open(sealed, '/k')).toEqual({ value, stale: false })
    expect(rotated.open(sealed, '/k')).toEqual({ value, stale: true })
    expect(rotated.open(rotated.seal(value, '/k'), '/k').stale).toBe(false)
    expect(rotated.open(value, '/k')).toEqual({ value, stale: true })
  })

  test('plain values first turn encryption off: what was encrypted is still read', () => {
    const off = keys({ '': identity(), 'enc:gcm:': keys({ 'old:': old }) })
    expect(off.seal(value, '/k')).toEqual(value)
    expect(off.open(before.seal(value, '/k'), '/k')).toEqual({ value, stale: true })
  })

  test('two may be the same: the one whose key fits reads', () => {
    const both = byPrefix(
      [next, old].map((transformer) => ({ prefix: 'enc:', transformer: keys({ 'k:': transformer }) })),
      'none',
    )
    expect(both.open(keys({ 'enc:k:': old }).seal(value, '/k'), '/k')).toEqual({ value, stale: true })
  })

  for (const [what, transformer, stored, message] of [
    ['an unknown key', keys({ 'enc:': keys({ 'a:': old }) }), Buffer.from('enc:b:123'), 'no matching key'],
    ['a plain value without a reader of such', keys({ 'enc:': old }), value, 'no matching key'],
    ['an encrypted value, by plain alone', identity(), Buffer.from('enc:x'), 'plain was asked to read encrypted data'],
    ['a wrong key', keys({ 'enc:': next }), keys({ 'enc:': old }).seal(value, '/k'), 'cipher: message authentication'],
  ] as const)
    test(`${what} is an error with upstream's text`, () => {
      expect(() => transformer.open(stored, '/k')).toThrow(message)
    })
})

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at)
  return copy
}
