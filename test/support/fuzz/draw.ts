/** Seeded choices of which every generator of hostile input is made: the same seed draws the same inputs. */

import { type Random, randomInteger } from '../../../src/base/random.ts'

export function pick<T>(random: Random, list: readonly [T, ...T[]]): T {
  return list[randomInteger(random, list.length)] ?? list[0]
}

export function chance(random: Random, probability: number): boolean {
  return random.next() < probability
}

export function times<T>(random: Random, max: number, make: () => T): readonly T[] {
  return Array.from({ length: randomInteger(random, max + 1) }, make)
}

/** Texts that parsers of every kind stumble over. */
export const ODD_TEXTS: readonly [string, ...string[]] = [
  '',
  ' ',
  '.',
  '..',
  '/',
  '\\',
  '%',
  '%00',
  '%2e%2e%2f',
  '%2f',
  '%c0%ae',
  '%ff',
  '%u002e',
  ';',
  ';a=b',
  '//',
  '~',
  '*',
  '"',
  "'",
  '`',
  '{',
  '[',
  '<',
  '&',
  '=',
  ',',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'null',
  'undefined',
  'NaN',
  '-1',
  '1e999',
  '9007199254740993',
  '\u00e9',
  '\u202e',
  '\ufeff',
  'a'.repeat(300),
  '../../../etc/passwd',
  '$' + '{jndi:ldap://x}',
  '(a+)+$',
]

/** One small change: a character, a piece taken out, doubled, turned round, or something odd put in. */
export function mutatedText(random: Random, text: string): string {
  const at = randomInteger(random, text.length + 1)
  const end = Math.min(text.length, at + 1 + randomInteger(random, 8))
  const [before, piece, after] = [text.slice(0, at), text.slice(at, end), text.slice(end)]
  switch (randomInteger(random, 7)) {
    case 0:
      return `${before}${after}`
    case 1:
      return `${before}${piece}${piece}${after}`
    case 2:
      return `${before}${pick(random, ODD_TEXTS)}${after}`
    case 3:
      return `${before}${String.fromCharCode(randomInteger(random, 256))}${text.slice(at + 1)}`
    case 4:
      return `${before}${[...piece].reverse().join('')}${after}`
    case 5:
      return before
    default:
      return `${before}${swappedCase(piece)}${after}`
  }
}

function swappedCase(text: string): string {
  return text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase()
}

export function mutatedBytes(random: Random, bytes: Uint8Array): Buffer {
  const copy = Buffer.from(bytes)
  if (copy.length === 0) return copy
  for (let changes = randomInteger(random, 3); changes >= 0; changes--)
    copy[randomInteger(random, copy.length)] = randomInteger(random, 256)
  if (chance(random, 0.1)) return copy.subarray(0, randomInteger(random, copy.length))
  return copy
}
