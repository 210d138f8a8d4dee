/** `semver('1.2.3-beta.1')`: versions by the rules of Semantic Versioning 2.0. */

import type { Library } from '../declarations.ts'
import { costing, declare, member, overload } from '../library/declare.ts'
import { BOOL, INT, opaqueType, STRING } from '../types.ts'
import { CelError, OpaqueValue, type Result } from '../values.ts'
import { nominal, perCharacter } from './costs.ts'

const SEMVER = opaqueType('kubernetes.Semver')

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

/** The version, or the error text of upstream's parser. */
function parse(text: string): SemverValue | string {
  if (text === '') return 'Version string empty'
  const match = /^([^.]*)\.([^.]*)\.([\s\S]*)$/.exec(text)
  if (match === null) return 'No Major.Minor.Patch elements found'
  const [, major = '', minor = '', rest = ''] = match
  const [withoutBuild = '', ...build] = splitOnce(rest, '+')
  const [patch = '', ...preRelease] = splitOnce(withoutBuild, '-')
  const identifiers = preRelease.flatMap((part) => part.split('.'))
  const failure =
    numberFailure('major', major) ??
    numberFailure('minor', minor) ??
    numberFailure('patch', patch) ??
    firstFailure(identifiers, preReleaseFailure) ??
    firstFailure(
      build.flatMap((part) => part.split('.')),
      buildFailure,
    )
  return failure ?? new SemverValue([BigInt(major), BigInt(minor), BigInt(patch)], identifiers)
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

function firstFailure(parts: readonly string[], failureOf: (part: string) => string | undefined): string | undefined {
  for (const part of parts) {
    const failure = failureOf(part)
    if (failure !== undefined) return failure
  }
  return undefined
}

function numberFailure(name: 'major' | 'minor' | 'patch', text: string): string | undefined {
  const capitalized = `${name[0]?.toUpperCase()}${name.slice(1)}`
  if (!/^\d*$/.test(text)) return `Invalid character(s) found in ${name} number ${JSON.stringify(text)}`
  if (/^0\d/.test(text)) return `${capitalized} number must not contain leading zeroes ${JSON.stringify(text)}`
  return sizeFailure(text)
}

function sizeFailure(text: string): string | undefined {
  if (text !== '' && text.length <= 20 && BigInt(text) <= NUMBER_MAX) return undefined
  return `strconv.ParseUint: parsing ${JSON.stringify(text)}: ${text === '' ? 'invalid syntax' : 'value out of range'}`
}

function preReleaseFailure(text: string): string | undefined {
  if (text === '') return 'Prerelease is empty'
  if (/^0\d+$/.test(text)) {
    return `Numeric PreRelease version must not contain leading zeroes ${JSON.stringify(text)}`
  }
  if (/^\d+$/.test(text)) return sizeFailure(text)
  return /^[0-9A-Za-z-]+$/.test(text) ? undefined : `Invalid character(s) found in prerelease ${JSON.stringify(text)}`
}

function buildFailure(text: string): string | undefined {
  if (text === '') return 'Build meta data is empty'
  if (/^[0-9A-Za-z-]+$/.test(text)) return undefined
  return `Invalid character(s) found in build meta data ${JSON.stringify(text)}`
}

/** Without a leading `v` and leading zeros, and with the parts a short version leaves out. */
function parseTolerantly(text: string): SemverValue | string {
  const bare = text.replace(/^v/, '')
  const [major = '', ...minorAndRest] = splitOnce(bare, '.')
  const parts = [major, ...minorAndRest.flatMap((part) => splitOnce(part, '.'))].map(withoutZeros)
  if (parts.length < 3 && /[+-]/.test(parts.at(-1) ?? '')) {
    return 'short version cannot contain PreRelease/Build meta data'
  }
  return parse([...parts, '0', '0'].slice(0, 3).join('.'))
}

function withoutZeros(part: string): string {
  if (part.length < 2) return part
  const stripped = part.replace(/^0+/, '')
  return /^\d/.test(stripped) ? stripped : `0${stripped}`
}

function parseAs(text: string, isTolerant = false): SemverValue | string {
  return isTolerant ? parseTolerantly(text) : parse(text)
}

function toSemver(text: string, isTolerant?: boolean): Result {
  const parsed = parseAs(text, isTolerant)
  return typeof parsed === 'string' ? new CelError(parsed) : parsed
}

const isSemver = (text: string, isTolerant?: boolean): boolean => typeof parseAs(text, isTolerant) !== 'string'

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
        overload('is_semver_string', [STRING], BOOL, isSemver),
        overload('is_semver_string_bool', [STRING, BOOL], BOOL, isSemver),
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
