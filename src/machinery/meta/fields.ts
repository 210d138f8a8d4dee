/**
 * Field selectors: `a=b,c!=d`. Values escape `\`, `,` and `=` with a backslash. Which fields a resource
 * offers is its definition's; here a field is any name. Error texts: apimachinery's `fields` package.
 */

import { byCodeUnit } from '../../base/group-by.ts'
import { badRequest } from './api-error.ts'

export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

export interface FieldSelector {
  /** A field that is absent counts as the empty string. */
  matches(fields: Readonly<Record<string, string>>): boolean
  readonly requirements: readonly FieldRequirement[]
  /** Canonical text; `''` selects everything. */
  toString(): string
}

const everyField: FieldSelector = fieldSelectorOf([])

export function fieldSelectorOf(requirements: readonly FieldRequirement[]): FieldSelector {
  return {
    matches: (fields) =>
      requirements.every(({ field, operator, value }) => {
        const actual = Object.hasOwn(fields, field) ? (fields[field] ?? '') : ''
        return (actual === value) === (operator === '=')
      }),
    requirements,
    toString: () =>
      requirements.map(({ field, operator, value }) => `${field}${operator}${escapeFieldValue(value)}`).join(','),
  }
}

/** Throws 400 with upstream's words. */
export function parseFieldSelector(text: string): FieldSelector {
  if (text === '') return everyField
  const requirements: FieldRequirement[] = []
  for (const term of splitTerms(text).sort(byCodeUnit)) {
    if (term === '') continue
    const match = /!=|==?/.exec(term)
    if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`)
    const field = term.slice(0, match.index)
    const value = unescapeFieldValue(term.slice(match.index + match[0].length))
    // `=` and `!=` alone select everything, as upstream's empty term does.
    if (field === '' && value === '') continue
    requirements.push({ field, operator: match[0] === '!=' ? '!=' : '=', value })
  }
  return requirements.length === 0 ? everyField : fieldSelectorOf(requirements)
}

/** The value that an exact match on a field demands: lets a list use an index. */
export function requiredFieldValue(selector: FieldSelector, field: string): string | undefined {
  return selector.requirements.find((requirement) => requirement.field === field && requirement.operator === '=')?.value
}

function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, '\\$&')
}

function unescapeFieldValue(text: string): string {
  return text.replace(/\\(.)?|[,=]/gsu, (sequence, escaped: string | undefined) => {
    if (!sequence.startsWith('\\'))
      throw badRequest(`invalid field selector: unescaped character in value: ${sequence.codePointAt(0)}`)
    if (escaped === undefined || !'\\,='.includes(escaped))
      throw badRequest(`invalid field selector: invalid escape sequence: ${sequence}`)
    return escaped
  })
}

/** At commas that no backslash precedes; escapes stay in the terms. */
function splitTerms(text: string): string[] {
  const terms: string[] = []
  let start = 0
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '\\') index++
    else if (text[index] === ',') {
      terms.push(text.slice(start, index))
      start = index + 1
    }
  }
  return [...terms, text.slice(start)]
}
