/** `semver('1.2.3-beta.1')`: versions by the rules of Semantic Versioning 2.0. */

import type { Library } from '../declarations.ts'
import { costing, declare, member, overload } from '../library/declare.ts'
import { BOOL, INT, opaqueType, STRING } from '../types.ts'
import { CelError, OpaqueValue, type Result } from '../values.ts'
import { nominal, perCharacter } from './costs.ts'

const SEMVER = opaqueType('kubernetes.Semver')

const PATTERN =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/

const NUMBER_MAX = 2n ** 64n - 1n

class SemverValue extends OpaqueValue {
  readonly type = SEMVER
  readonly numbers: readonly [major: bigint, minor: bigint, patch: bigint]
  readonly preRelease: readonly string[]
  constructor(numbers: readonly [bigint, bigint, bigint], preRelease: readonly string[]) {
    super()
    this.numbers = numbers
    this.preRelease = preRelease
  }
  equals(other: OpaqueValue): boolean {
    return other instanceof SemverValue && compareVersions(this, other) === 0
  }
}

function parse(text: string): SemverValue | undefined {
  const match = PATTERN.exec(text)
  if (match === null) return undefined
  const [, major = '', minor = '', patch = '', preRelease] = match
  const numbers = [BigInt(major), BigInt(minor), BigInt(patch)] as const
  const identifiers = preRelease?.split('.') ?? []
  const isTooLarge = numbers.some((number) => number > NUMBER_MAX)
  if (isTooLarge || identifiers.some((identifier) => /^0\d+$/.test(identifier))) return undefined
  return new SemverValue(numbers, identifiers)
}

/** Without a leading `v` and leading zeros, and with the parts a short version leaves out. */
function normalized(text: string): string | undefined {
  const bare = text.replace(/^v/, '')
  const [major = '', minor, ...rest] = bare.split('.')
  const parts = [major, ...(minor === undefined ? [] : [minor]), ...(rest.length === 0 ? [] : [rest.join('.')])]
  const stripped = parts.map((part) => (part.length > 1 ? part.replace(/^0+(?=.*)/, '') : part))
  const filled = stripped.map((part, index) =>
    (parts[index]?.length ?? 0) > 1 && !/^\d/.test(part) ? `0${part}` : part,
  )
  if (filled.length < 3 && /[+-]/.test(filled.at(-1) ?? '')) return undefined
  while (filled.length < 3) filled.push('0')
  return filled.join('.')
}

function parseAs(text: string, normalize = false): SemverValue | undefined {
  const plain = normalize ? normalized(text) : text
  return plain === undefined ? undefined : parse(plain)
}

function toSemver(text: string, normalize?: boolean): Result {
  return parseAs(text, normalize) ?? new CelError(`invalid semantic version ${JSON.stringify(text)}`)
}

function compareVersions(left: SemverValue, right: SemverValue): number {
  for (const [index, number] of left.numbers.entries()) {
    const other = right.numbers[index] ?? 0n
    if (number !== other) return number < other ? -1 : 1
  }
  const mine = left.preRelease
  const theirs = right.preRelease
  if (mine.length === 0 || theirs.length === 0) return Math.sign(theirs.length - mine.length)
  for (const [index, identifier] of mine.entries()) {
    const other = theirs[index]
    if (other === undefined) return 1
    const order = compareIdentifiers(identifier, other)
    if (order !== 0) return order
  }
  return mine.length < theirs.length ? -1 : 0
}

/** Numbers come before words. */
function compareIdentifiers(left: string, right: string): number {
  if (left === right) return 0
  const areNumbers = [/^\d+$/.test(left), /^\d+$/.test(right)]
  if (areNumbers[0] && areNumbers[1]) return BigInt(left) < BigInt(right) ? -1 : 1
  if (areNumbers[0] !== areNumbers[1]) return areNumbers[0] ? -1 : 1
  return left < right ? -1 : 1
}

const component = (name: string, index: 0 | 1 | 2) =>
  declare(
    name,
    costing(nominal, [member(`semver_${name}`, [SEMVER], INT, ({ numbers }: SemverValue) => numbers[index])]),
  )

const question = (name: string, id: string, answer: (order: number) => boolean) =>
  declare(
    name,
    costing(nominal, [
      member(id, [SEMVER, SEMVER], BOOL, (left: SemverValue, right: SemverValue) =>
        answer(compareVersions(left, right)),
      ),
    ]),
  )

export const SEMVERS: Library = {
  name: 'kubernetes.semver',
  functions: [
    declare(
      'semver',
      costing(perCharacter, [
        overload('string_to_semver', [STRING], SEMVER, toSemver),
        overload('string_bool_to_semver', [STRING, BOOL], SEMVER, toSemver),
      ]),
    ),
    declare(
      'isSemver',
      costing(perCharacter, [
        overload('is_semver_string', [STRING], BOOL, (text: string) => parseAs(text) !== undefined),
        overload(
          'is_semver_string_bool',
          [STRING, BOOL],
          BOOL,
          (text: string, normalize: boolean) => parseAs(text, normalize) !== undefined,
        ),
      ]),
    ),
    question('isGreaterThan', 'semver_is_greater_than', (order) => order > 0),
    question('isLessThan', 'semver_is_less_than', (order) => order < 0),
    declare(
      'compareTo',
      costing(nominal, [
        member('semver_compare_to', [SEMVER, SEMVER], INT, (left: SemverValue, right: SemverValue) =>
          BigInt(compareVersions(left, right)),
        ),
      ]),
    ),
    component('major', 0),
    component('minor', 1),
    component('patch', 2),
  ],
}
