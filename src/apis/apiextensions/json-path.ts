/**
 * The JSONPath that printer columns and selectable fields are written in: names, quoted names, indexes, slices,
 * wildcards, descent and simple filters.
 *
 *   .spec.ports[0].name   .status.conditions[?(@.type=="Ready")].status   .metadata.labels['a\.b']   ..image
 */

import { isRecord } from '../../base/is-record.ts'

type Step =
  | { readonly step: 'name'; readonly name: string }
  | { readonly step: 'slice'; readonly from: number | undefined; readonly to: number | undefined; readonly by: number }
  | { readonly step: 'index'; readonly index: number }
  | { readonly step: 'all' }
  | { readonly step: 'descend' }
  | { readonly step: 'filter'; readonly filter: Filter }

interface Filter {
  readonly left: Operand
  /** Undefined: whether the left side exists. */
  readonly operator: string | undefined
  readonly right: Operand | undefined
}

type Operand = { readonly path: JsonPath } | { readonly value: unknown }

export type JsonPath = readonly Step[]

/** Steps of a path; longer ones are refused. */
const STEPS_MAX = 64
/** Values that one path finds. */
const RESULTS_MAX = 10_000

/** Undefined when the text is no path. */
export function parseJsonPath(text: string): JsonPath | undefined {
  const steps: Step[] = []
  let rest = text.startsWith('@') || text.startsWith('$') ? text.slice(1) : text
  while (rest !== '' && rest !== '.') {
    const parsed = nextStep(rest)
    if (parsed === undefined || steps.length >= STEPS_MAX) return undefined
    steps.push(parsed.step)
    rest = parsed.rest
  }
  return steps
}

interface Parsed {
  readonly step: Step
  readonly rest: string
}

function nextStep(text: string): Parsed | undefined {
  if (text.startsWith('..')) {
    const rest = text.slice(2)
    return { step: { step: 'descend' }, rest: rest.startsWith('[') ? rest : `.${rest}` }
  }
  if (text.startsWith('[')) return bracketStep(text)
  const [whole = '', name = ''] = /^\.?((?:\\.|[^.[\\\]])+)/.exec(text) ?? []
  if (whole === '') return undefined
  const step: Step = name === '*' ? { step: 'all' } : { step: 'name', name: name.replace(/\\(.)/g, '$1') }
  return { step, rest: text.slice(whole.length) }
}

function bracketStep(text: string): Parsed | undefined {
  const [filtered, condition] = /^\[\?\((.*?)\)\]/s.exec(text) ?? []
  if (filtered !== undefined && condition !== undefined) {
    const filter = parseFilter(condition)
    return filter && { step: { step: 'filter', filter }, rest: text.slice(filtered.length) }
  }
  const [quoted, , name] = /^\[(['"])((?:\\.|(?!\1).)*)\1\]/s.exec(text) ?? []
  if (quoted !== undefined && name !== undefined)
    return { step: { step: 'name', name: name.replace(/\\(.)/g, '$1') }, rest: text.slice(quoted.length) }
  const [whole, inner] = /^\[([^\]]*)\]/.exec(text) ?? []
  if (whole === undefined || inner === undefined) return undefined
  const step = inner === '*' ? ({ step: 'all' } as const) : rangeStep(inner)
  return step && { step, rest: text.slice(whole.length) }
}

function rangeStep(text: string): Step | undefined {
  const parts = text.split(':').map((part) => part.trim())
  if (parts.length > 3 || !parts.every((part) => /^(-?\d{1,9})?$/.test(part))) return undefined
  const [from, to, by] = parts.map((part) => (part === '' ? undefined : Number(part)))
  if (parts.length === 1) return from === undefined ? undefined : { step: 'index', index: from }
  return by !== undefined && by <= 0 ? undefined : { step: 'slice', from, to, by: by ?? 1 }
}

function parseFilter(text: string): Filter | undefined {
  const [, left = '', operator, right = ''] = /^(.+?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+))?$/s.exec(text.trim()) ?? []
  // An operator without a right side is none.
  if (operator === undefined && /[=!<>]/.test(left)) return undefined
  const first = parseOperand(left.trim())
  const second = operator === undefined ? undefined : parseOperand(right.trim())
  if (first === undefined || (operator !== undefined && second === undefined)) return undefined
  return { left: first, operator, right: second }
}

function parseOperand(text: string): Operand | undefined {
  if (text.startsWith('@') || text.startsWith('$') || text.startsWith('.')) {
    const path = parseJsonPath(text)
    return path && { path }
  }
  const [, , quoted] = /^(['"])(.*)\1$/s.exec(text) ?? []
  if (quoted !== undefined) return { value: quoted }
  if (text === 'true' || text === 'false') return { value: text === 'true' }
  return /^-?\d+(\.\d+)?$/.test(text) ? { value: Number(text) } : undefined
}

/** What the path finds, in document order; missing fields find nothing. */
export function findByPath(value: unknown, path: JsonPath): readonly unknown[] {
  let found: readonly unknown[] = [value]
  for (const step of path) found = found.flatMap((one) => taken(one, step)).slice(0, RESULTS_MAX)
  return found
}

function taken(value: unknown, step: Step): readonly unknown[] {
  switch (step.step) {
    case 'name':
      return isRecord(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : []
    case 'all':
      return childrenOf(value)
    case 'descend':
      return withDescendants(value)
    case 'filter':
      return childrenOf(value).filter((child) => passes(child, step.filter))
    case 'index':
      return Array.isArray(value) ? value.slice(step.index, step.index + 1 || undefined) : []
    case 'slice':
      return Array.isArray(value) ? value.slice(step.from, step.to).filter((_, index) => index % step.by === 0) : []
  }
}

function childrenOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return isRecord(value) ? Object.values(value) : []
}

function withDescendants(value: unknown): readonly unknown[] {
  const found: unknown[] = []
  const waiting: unknown[] = [value]
  for (let one = waiting.pop(); one !== undefined && found.length < RESULTS_MAX; one = waiting.pop()) {
    found.push(one)
    waiting.push(...childrenOf(one).toReversed())
  }
  return found
}

function passes(value: unknown, { left, operator, right }: Filter): boolean {
  const lefts = operandValues(value, left)
  if (operator === undefined || right === undefined) return lefts.length > 0
  const [first, second] = [lefts[0], operandValues(value, right)[0]]
  if (first === undefined || second === undefined) return false
  if (operator === '==') return first === second
  if (operator === '!=') return first !== second
  if (typeof first !== typeof second || (typeof first !== 'number' && typeof first !== 'string')) return false
  return isOrdered(first, operator, second as typeof first)
}

function isOrdered<T extends number | string>(left: T, operator: string, right: T): boolean {
  switch (operator) {
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    default:
      return left >= right
  }
}

function operandValues(value: unknown, operand: Operand): readonly unknown[] {
  return 'path' in operand ? findByPath(value, operand.path) : [operand.value]
}
