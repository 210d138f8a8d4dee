/** Literals that a checked expression must not have: wrong durations, times and patterns, and lists of mixed types. */

import { patternOf } from '../library/patterns.ts'
import { durationFrom, timestampFrom } from '../operators/convert.ts'
import type { Expression, ListLiteral, MapLiteral } from '../syntax/ast.ts'
import { type Issue, issueAt } from '../syntax/source.ts'
import { type CelType, DYN, isOptional, sameType, typeText } from '../types.ts'
import { CelError, type CelValue, type Result } from '../values.ts'
import type { Checked } from './checker.ts'
import { formatFinding } from './format-calls.ts'

const CHECKED_CALLS: ReadonlyMap<string, (value: CelValue) => Result> = new Map<string, (value: CelValue) => Result>([
  ['duration', durationFrom],
  ['timestamp', timestampFrom],
  ['matches', (pattern) => (typeof pattern === 'string' && patternOf(pattern) instanceof CelError ? BAD : true)],
])

const BAD = new CelError('no pattern')

export function literalIssues(checked: Checked, source: string): readonly Issue[] {
  const issues: Issue[] = []
  const report = (offset: number, message: string) => void issues.push(issueAt(source, offset, message))
  walk(checked.expression, false, (node, isFormatted) => {
    if (node.kind === 'call') {
      const [value] = node.values
      const finding = formatFinding(node, checked.types)
      if (finding !== undefined) report(finding.offset, finding.message)
      const convert = value?.kind === 'literal' ? CHECKED_CALLS.get(node.name) : undefined
      if (value?.kind !== 'literal' || convert === undefined) return
      if (convert(value.value) instanceof CelError) report(value.offset, `invalid ${node.name} argument`)
    } else if (!isFormatted && (node.kind === 'list' || node.kind === 'map')) {
      for (const { offset, expected, found } of mixedTypes(checked, node)) {
        report(offset, `expected type '${typeText(expected)}' but found '${typeText(found)}'`)
      }
    }
  })
  return issues
}

interface Mixed {
  readonly offset: number
  readonly expected: CelType
  readonly found: CelType
}

function mixedTypes({ types }: Checked, node: ListLiteral | MapLiteral): readonly Mixed[] {
  const typeOf = (part: Expression, optional: boolean): CelType => {
    const type = types.get(part) ?? DYN
    return optional && isOptional(type) ? (type.parameters[0] ?? DYN) : type
  }
  if (node.kind === 'list') {
    return odd(node.elements.map((part, index) => ({ part, type: typeOf(part, node.optional.has(index)) })))
  }
  return [
    ...odd(node.entries.map(({ key }) => ({ part: key, type: typeOf(key, false) }))),
    ...odd(node.entries.map(({ value, optional }) => ({ part: value, type: typeOf(value, optional) }))),
  ]
}

/** The first part whose type is not that of the first of all. */
function odd(parts: readonly { readonly part: Expression; readonly type: CelType }[]): readonly Mixed[] {
  const [first] = parts
  if (first === undefined) return []
  const other = parts.find(({ type }) => !sameType(unwrapped(type), unwrapped(first.type)))
  return other === undefined ? [] : [{ offset: other.part.offset, expected: first.type, found: other.type }]
}

function unwrapped(type: CelType): CelType {
  return type.kind === 'wrapper' ? type.of : type
}

type Visit = (node: Expression, isFormatted: boolean) => void

/** Every node; `isFormatted` within calls of `format`, whose lists may be mixed. */
function walk(node: Expression, isFormatted: boolean, visit: Visit): void {
  visit(node, isFormatted)
  const inside = isFormatted || (node.kind === 'call' && node.name === 'format')
  for (const part of partsOf(node)) walk(part, inside, visit)
}

function partsOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'select':
      return [node.operand]
    case 'call':
      return node.target === undefined ? node.values : [node.target, ...node.values]
    case 'list':
      return node.elements
    case 'map':
      return node.entries.flatMap(({ key, value }) => [key, value])
    case 'object':
      return node.fields.map(({ value }) => value)
    case 'comprehension':
      return [node.range, node.initial, node.condition, node.step, node.result]
    default:
      return []
  }
}
