/** `format.dns1123Label().validate(name)`: Kubernetes' formats by name, with what is wrong as an optional list. */

import {
  type Findings,
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isQualifiedName,
  isValidLabelValue,
  nameIsDns1035Label,
  nameIsDns1123Label,
  nameIsDns1123Subdomain,
} from '../../meta/names.ts'
import type { Library } from '../declarations.ts'
import { COST_PER_CHARACTER, COST_PER_PATTERN_CHARACTER, sizeForCost } from '../evaluate/actual-cost.ts'
import { costing, declare, member, overload } from '../library/declare.ts'
import { parseTimestamp } from '../operators/time.ts'
import { listType, opaqueType, optionalType, STRING } from '../types.ts'
import { ArrayList, type CelValue, NONE, OpaqueValue, OptionalValue, type Result, Timestamp } from '../values.ts'
import { nominal } from './costs.ts'
import { parseUrl } from './urls.ts'

const FORMAT = opaqueType('kubernetes.NamedFormat')

type Rule = (text: string) => Findings

class FormatValue extends OpaqueValue {
  readonly type = FORMAT
  readonly name: string
  readonly rule: Rule
  /** How long a pattern this is worth, for costs. */
  readonly patternLength: number
  constructor(name: string, rule: Rule, patternLength: number) {
    super()
    this.name = name
    this.rule = rule
    this.patternLength = patternLength
  }
  equals(other: OpaqueValue): boolean {
    return other instanceof FormatValue && other.name === this.name
  }
}

/** A rule that has one thing to say. */
function matching(isValid: (text: string) => boolean, finding: string): Rule {
  return (text) => (isValid(text) ? [] : [finding])
}

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function uriFindings(text: string): Findings {
  const parts = parseUrl(text)
  return typeof parts === 'string' ? [parts] : []
}

const isDate = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) && parseTimestamp(`${text}T00:00:00Z`) instanceof Timestamp
const isDateTime = (text: string): boolean => parseTimestamp(text) instanceof Timestamp

const FORMATS: ReadonlyMap<string, FormatValue> = new Map(
  (
    [
      ['dns1123Label', isDns1123Label, 30],
      ['dns1123Subdomain', isDns1123Subdomain, 60],
      ['dns1035Label', isDns1035Label, 30],
      ['qualifiedName', isQualifiedName, 60],
      ['dns1123LabelPrefix', (text: string) => nameIsDns1123Label(text, true), 30],
      ['dns1123SubdomainPrefix', (text: string) => nameIsDns1123Subdomain(text, true), 60],
      ['dns1035LabelPrefix', (text: string) => nameIsDns1035Label(text, true), 30],
      ['labelValue', isValidLabelValue, 40],
      ['uri', uriFindings, 1103],
      ['uuid', matching((text) => UUID.test(text), 'does not match the UUID format'), 132],
      ['byte', matching((text) => BASE64.test(text), 'invalid base64'), 95],
      ['date', matching(isDate, 'invalid date'), 123],
      ['datetime', matching(isDateTime, 'invalid datetime'), 123],
    ] satisfies readonly (readonly [string, Rule, number])[]
  ).map(([name, rule, length]) => [name, new FormatValue(name, rule, length)]),
)

function validate({ rule }: FormatValue, text: string): Result {
  const findings = rule(text)
  return findings.length === 0 ? NONE : new OptionalValue(new ArrayList(findings))
}

function validation([format, text]: readonly CelValue[]): number {
  const length = format instanceof FormatValue ? format.patternLength : 0
  const perText = Math.ceil((1 + sizeForCost(text)) * COST_PER_CHARACTER)
  return perText * Math.ceil(length * COST_PER_PATTERN_CHARACTER)
}

export const NAMED_FORMATS: Library = {
  name: 'kubernetes.format',
  functions: [
    declare(
      'validate',
      costing(validation, [member('format-validate', [FORMAT, STRING], optionalType(listType(STRING)), validate)]),
    ),
    declare(
      'format.named',
      costing(nominal, [
        overload(
          'format-named',
          [STRING],
          optionalType(FORMAT),
          (name: string) => new OptionalValue(FORMATS.get(name)),
        ),
      ]),
    ),
    ...[...FORMATS].map(([name, format]) =>
      declare(`format.${name}`, [overload(`format.${name}`, [], FORMAT, () => format)]),
    ),
  ],
}
