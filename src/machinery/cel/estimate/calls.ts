/** What calls can cost, by the sizes of their values: cel-go's numbers for the language, Kubernetes' for its own. */

import { COST_PER_CHARACTER, COST_PER_PATTERN_CHARACTER, LIST_COST, OBJECT_COST } from '../evaluate/actual-cost.ts'
import type { Expression } from '../syntax/ast.ts'
import type { CelType } from '../types.ts'
import { capped, exactly, LARGEST, plus, type Range, scaled, times, UNKNOWN_SIZE, union } from './range.ts'

/** A value of a call, as far as an estimate knows it. */
export interface Estimated {
  readonly node: Expression | undefined
  readonly type: CelType
  /** undefined: nothing is known. */
  readonly size: Range | undefined
  /** The size of the elements, when the value is a list. */
  readonly elementSize?: Range | undefined
}

export interface CallEstimate {
  /** Without what evaluating the values costs. */
  readonly cost: Range
  readonly size?: Range | undefined
}

/** A call: its values, without the receiver, which is `target`. */
export interface EstimatedCall {
  readonly overload: string
  readonly target: Estimated | undefined
  readonly values: readonly Estimated[]
}

type Estimate = (call: EstimatedCall) => CallEstimate | undefined

const ONE: CallEstimate = { cost: exactly(1) }

export function sizeOf(value: Estimated | undefined): Range {
  return value?.size ?? UNKNOWN_SIZE
}

const walk = (size: Range): Range => scaled(size, COST_PER_CHARACTER)

const nominal: Estimate = () => ONE
const walkValue: Estimate = ({ values: [value] }) => value && { cost: walk(sizeOf(value)) }
const walkValueTwice: Estimate = ({ values: [value] }) =>
  value && { cost: scaled(sizeOf(value), 2 * COST_PER_CHARACTER) }
const walkTarget: Estimate = ({ target }) => target && { cost: walk(sizeOf(target)), size: sizeOf(target) }

const compareTexts: Estimate = ({ values: [left, right] }) => {
  const max = Math.min(sizeOf(left).max, sizeOf(right).max)
  return { cost: walk({ min: max > 0 ? 1 : 0, max }) }
}

const concatenate: Estimate = ({ values: [left, right] }) => {
  const size = plus(sizeOf(left), sizeOf(right))
  return { cost: walk(size), size }
}

const matchPattern: Estimate = ({ target, values: [pattern] }) => {
  if (target === undefined) return undefined
  const perText = walk(plus(sizeOf(target), exactly(1)))
  return { cost: times(perText, scaled(sizeOf(pattern), COST_PER_PATTERN_CHARACTER)) }
}

const findPattern: Estimate = (call) => {
  const matched = matchPattern(call)
  return matched && { cost: matched.cost, size: { min: 0, max: sizeOf(call.target).max } }
}

/** Functions of the language, by overload. */
const BY_OVERLOAD: ReadonlyMap<string, Estimate> = new Map<string, Estimate>([
  ['string_format', ({ target }) => target && { cost: walk(sizeOf(target)) }],
  [
    'string_to_bytes',
    ({ values: [text] }) => ({
      cost: walk(sizeOf(text)),
      size: { min: sizeOf(text).min, max: capped(sizeOf(text).max * 4) },
    }),
  ],
  [
    'bytes_to_string',
    ({ values: [bytes] }) => ({
      cost: walk(sizeOf(bytes)),
      size: { min: Math.floor(sizeOf(bytes).min / 4), max: sizeOf(bytes).max },
    }),
  ],
  [
    'strings_quote',
    ({ values: [text] }) => ({
      cost: walk(sizeOf(text)),
      size: { min: sizeOf(text).min + 2, max: capped(sizeOf(text).max * 2 + 2) },
    }),
  ],
  ['starts_with_string', walkValue],
  ['ends_with_string', walkValue],
  ['in_list', ({ values: [, list] }) => ({ cost: sizeOf(list) })],
  ['matches_string', matchPattern],
  [
    'contains_string',
    ({ target, values: [part] }) => target && { cost: times(walk(sizeOf(target)), walk(sizeOf(part))) },
  ],
  ['add_string', concatenate],
  ['add_bytes', concatenate],
  ['add_list', ({ values: [left, right] }) => ({ cost: exactly(1), size: plus(sizeOf(left), sizeOf(right)) })],
  ...['less', 'less_equals', 'greater', 'greater_equals'].flatMap((prefix): [string, Estimate][] => [
    [`${prefix}_string`, compareTexts],
    [`${prefix}_bytes`, compareTexts],
  ]),
  ['equals', compareTexts],
  ['not_equals', compareTexts],
  ['cidr_ip', nominal],
  ['list_slice', ({ target, values: [start, end] }) => target && slice(sizeOf(target), start, end)],
  ['lists_range', ({ values: [end] }) => allocating(1, exactly(literalInteger(end, LARGEST)))],
  ['list_reverse', ({ target }) => target && allocating(1, sizeOf(target))],
  ['list_flatten', ({ target }) => target && allocating(1, sizeOf(target))],
  [
    'list_flatten_int',
    ({ target, values: [depth] }) => target && allocating(literalInteger(depth, LARGEST), sizeOf(target)),
  ],
  ['list_distinct', ({ target }) => target && allocating(2, times(sizeOf(target), sizeOf(target)))],
  ...['contains', 'intersects', 'equivalent'].map((name): [string, Estimate] => [
    `list_sets_${name}_list`,
    ({ values: [left, right] }) => ({
      cost: plus(scaled(times(sizeOf(left), sizeOf(right)), name === 'equivalent' ? 2 : 1), exactly(1)),
    }),
  ]),
  ...[
    'int',
    'uint',
    'double',
    'bool',
    'string',
    'bytes',
    'google.protobuf.Duration',
    'google.protobuf.Timestamp',
  ].flatMap((type): [string, Estimate][] => {
    const factor = type === 'string' || type === 'bytes' ? 2 + COST_PER_CHARACTER : 2
    return [
      [`list_${type}_sort`, ({ target }) => allocating(factor, times(sizeOf(target), sizeOf(target)))],
      [
        `list_${type}_sortByAssociatedKeys`,
        ({ values: [keys] }) => allocating(factor, times(sizeOf(keys), sizeOf(keys))),
      ],
    ]
  }),
])

function allocating(factor: number, size: Range): CallEstimate {
  return { cost: plus(scaled(size, factor), exactly(1 + LIST_COST)), size }
}

function slice(size: Range, start: Estimated | undefined, end: Estimated | undefined): CallEstimate {
  return allocating(1, exactly(Math.max(0, literalInteger(end, size.max) - literalInteger(start, 0))))
}

function literalInteger(value: Estimated | undefined, otherwise: number): number {
  const node = value?.node
  if (node?.kind !== 'literal' || typeof node.value !== 'bigint') return otherwise
  return Math.max(0, Number(node.value))
}

/** Cost of an authorization check: two of them fit into one expression. */
const CHECK_COST = 350_000

/** The longest pattern behind a named format, and the longest name of one. */
const FORMAT_PATTERN_MAX = 128

const visitElements: Estimate = ({ target }) => {
  if (target === undefined) return undefined
  if (target.type.kind !== 'list') return { cost: walk(sizeOf(target)) }
  const { kind } = target.type.element
  const isText = kind === 'string' || kind === 'bytes'
  const perElement = isText ? plus(exactly(1), walk(target.elementSize ?? UNKNOWN_SIZE)) : exactly(1)
  return { cost: times(sizeOf(target), perElement) }
}

const replace: Estimate = ({ target, values: [part, by] }) => {
  if (target === undefined || by === undefined) return undefined
  const text = sizeOf(target)
  const replaced = sizeOf(part)
  const replacement = sizeOf(by)
  const longest = replacements(text.max, replaced.min, replacement.max <= replaced.min)
  const shortest = replacements(text.min, replaced.max, replaced.max <= replacement.min)
  const counts = { min: shortest.count, max: longest.count }
  const size = plus(times(counts, replacement), { min: shortest.kept, max: longest.kept })
  return { cost: scaled(text, 2 * COST_PER_CHARACTER), size }
}

/** How often a part of this length can be replaced, and how much of the text may be left beside. */
function replacements(
  text: number,
  part: number,
  isNoChange: boolean,
): { readonly count: number; readonly kept: number } {
  if (part === 0) return { count: capped(text + 1), kept: text }
  return isNoChange ? { count: 0, kept: text } : { count: Math.ceil(text / part), kept: 0 }
}

const split: Estimate = ({ target, values: [, count] }) => {
  if (target === undefined) return undefined
  const max = literalInteger(count, sizeOf(target).max)
  return { cost: scaled(sizeOf(target), 2 * COST_PER_CHARACTER), size: { min: 0, max } }
}

const join: Estimate = ({ target, values: [separator] }) => {
  if (target === undefined) return undefined
  const list = sizeOf(target)
  let size = target.type.kind === 'list' ? times(list, target.elementSize ?? UNKNOWN_SIZE) : exactly(0)
  if (separator !== undefined) {
    const gaps = { min: Math.max(0, list.min - 1), max: Math.max(0, list.max - 1) }
    size = plus(size, times(sizeOf(separator), gaps))
  }
  return { cost: walk(size), size }
}

const selector: Estimate = ({ values: [text] }) => {
  const length = sizeOf(text)
  const requirements = scaled(scaled(length, 0.5), LIST_COST + OBJECT_COST)
  return { cost: plus(plus(exactly(LIST_COST), walk(length)), requirements) }
}

/** The bytes of an address of either family. */
const ADDRESS_SIZE: Range = { min: 4, max: 16 }

const containsAddress: Estimate = ({ overload, values: [other] }) => {
  const comparing = walk(plus(ADDRESS_SIZE, ADDRESS_SIZE))
  const parsing = overload.endsWith('_string') ? walk(sizeOf(other)) : exactly(0)
  const masking = overload.startsWith('cidr_contains_cidr') ? plus(walk(ADDRESS_SIZE), exactly(1)) : exactly(0)
  return { cost: plus(plus(comparing, parsing), masking) }
}

function named(names: string, estimate: Estimate): readonly (readonly [string, Estimate])[] {
  return names.split(' ').map((name) => [name, estimate] as const)
}

/** Functions of Kubernetes, by name. */
const BY_NAME: ReadonlyMap<string, Estimate> = new Map<string, Estimate>([
  ['check', () => ({ cost: exactly(CHECK_COST) })],
  ...named('serviceAccount path group resource subresource namespace name allowed reason error errored', nominal),
  ...named('fieldSelector labelSelector', selector),
  ...named('isSorted sum max min indexOf lastIndexOf', visitElements),
  ...named('url jsonpatch.escapeKey', ({ values: [text] }) => ({ cost: walk(sizeOf(text)), size: sizeOf(text) })),
  ...named('lowerAscii upperAscii substring trim', walkTarget),
  ['replace', replace],
  ['split', split],
  ['join', join],
  ...named('find findAll', findPattern),
  ...named('cidr isIP isCIDR ip quantity isQuantity semver isSemver', walkValue),
  ['ip.isCanonical', walkValueTwice],
  ...named('masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast', nominal),
  ...named(
    'isGlobalUnicast format.named sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan',
    nominal,
  ),
  ...named(
    'compareTo add sub major minor patch getScheme getHostname getHost getPort getEscapedPath getQuery',
    nominal,
  ),
  ...named('containsIP containsCIDR', containsAddress),
  [
    'validate',
    ({ values: [text] }) => ({
      cost: scaled(walk(sizeOf(text)), FORMAT_PATTERN_MAX * COST_PER_PATTERN_CHARACTER),
    }),
  ],
])

/** Opaque values that are compared at a cost of 1. */
const isOpaqueEquality = ({ overload, values: [left, right] }: EstimatedCall): boolean =>
  overload === 'equals' && left?.type.kind === 'opaque' && right?.type.kind === 'opaque'

/** What a call costs besides its values; 1 when nothing else is known. */
export function estimateCall(name: string, call: EstimatedCall): CallEstimate {
  if (isOpaqueEquality(call)) return ONE
  const isOwnOverload = BY_OVERLOAD.has(call.overload)
  const byOverload = isOwnOverload ? BY_OVERLOAD.get(call.overload)?.(call) : undefined
  return byOverload ?? (isOwnOverload ? undefined : BY_NAME.get(name)?.(call)) ?? ONE
}

/** The choice between two values costs nothing itself; its value is either. */
export function choiceSize(yes: Estimated | undefined, no: Estimated | undefined): Range {
  return union(sizeOf(yes), sizeOf(no))
}
