/**
 * How a value goes to the disk and comes back. A prefix says what was done to it, so that values that were written
 * under different rules lie side by side:
 *
 *   { 'enc:gcm:v1:': { 'new:': cipher, 'old:': cipher }, '': plain }
 *   enc:gcm:v1:old:…   is read with the second cipher, and is stale: today it would be written with the first
 *   {"kind":…          is read as it is, and is stale
 */

export interface Opened {
  readonly value: Uint8Array
  /** Today it would be written otherwise. */
  readonly stale: boolean
}

export interface Transformer {
  /** The key that the value is stored under is bound to it, where the cipher can. */
  seal(value: Uint8Array, key: string): Uint8Array
  /** Throws when the bytes are not what was written under this key. */
  open(stored: Uint8Array, key: string): Opened
  /** Absent where values are transformed. Elsewhere they are stored as they are: whether this is one of them. */
  readonly passes?: ((stored: Uint8Array) => boolean) | undefined
}

export interface PrefixedTransformer {
  /** Empty: of values that have none. */
  readonly prefix: string
  readonly transformer: Transformer
}

type Direction = 'from_storage' | 'to_storage'

/** Begins to measure one transformation of the value under `key`; what it returns is called with how it ended. */
export type Measure = (key: string) => (direction: Direction, prefix: string, error?: unknown) => void

const unmeasured: Measure = () => () => {}

/** The first one writes, all read. `unknown` is the text of the error where none has the prefix of a value. */
export function byPrefix(
  choices: readonly PrefixedTransformer[],
  unknown: string,
  measure: Measure = unmeasured,
): Transformer {
  const known = choices.map(({ prefix, transformer }) => ({ prefix: Buffer.from(prefix), transformer }))
  const [first] = known
  if (!first) throw new RangeError('there is no transformer to write with')
  return {
    seal(value, key) {
      const done = measure(key)
      const sealed = Buffer.concat([first.prefix, first.transformer.seal(value, key)])
      done('to_storage', first.prefix.toString())
      return sealed
    },
    open(stored, key) {
      const done = measure(key)
      const failures: string[] = []
      for (const choice of known) {
        const { prefix, transformer } = choice
        if (!startsWith(stored, prefix)) continue
        try {
          const { value, stale } = transformer.open(stored.subarray(prefix.length), key)
          done('from_storage', prefix.toString() || 'identity')
          return { value, stale: stale || choice !== first }
        } catch (error) {
          // One without a prefix refuses what is another's. Two may share a prefix and have different keys.
          if (prefix.length === 0) continue
          done('from_storage', prefix.toString(), error)
          failures.push(error instanceof Error ? error.message : String(error))
        }
      }
      if (failures.length === 0) done('from_storage', 'unknown', unknown)
      throw new Error(failures.length > 1 ? `[${[...new Set(failures)].join(', ')}]` : (failures[0] ?? unknown))
    },
  }
}

/** Writes values as they are, and reads all but those with the prefix that is reserved for the others. */
export function plain(reserved: string, refusal: string): Transformer {
  const prefix = Buffer.from(reserved)
  const passes = (stored: Uint8Array) => !startsWith(stored, prefix)
  return {
    seal: (value) => value,
    open(stored) {
      if (!passes(stored)) throw new Error(refusal)
      return { value: stored, stale: false }
    },
    passes,
  }
}

function startsWith(bytes: Uint8Array, prefix: Buffer): boolean {
  // The first byte tells nearly always, at no cost.
  if (prefix.length > 0 && bytes[0] !== prefix[0]) return false
  return bytes.length >= prefix.length && prefix.equals(bytes.subarray(0, prefix.length))
}
