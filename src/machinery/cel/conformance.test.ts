import { expect, test } from 'vitest'
import { compile, createEnvironment } from './cel.ts'
import { KUBERNETES_LIBRARIES } from './kubernetes/libraries.ts'
import { STRINGS } from './library/strings.ts'
import { equal } from './operators/equality.ts'
import {
  bindingsOf,
  functionsOf,
  type OfficialCase,
  officialCases,
  officialValue,
  refusedCases,
  typeOf,
  Unsupported,
  variablesOf,
} from './test-conformance.ts'
import { sameType, typeText } from './types.ts'
import { CelError, type CelValue, ObjectValue } from './values.ts'

/** Files that are about what Kubernetes' environments do not have. */
const EXCLUDED_FILES: Readonly<Record<string, string>> = {
  block_ext: 'cel.@block is made by optimizers, not written',
  encoders_ext: 'base64.encode and base64.decode are not in the environment',
  math_ext: 'math.* is not in the environment',
  proto2: 'protobuf messages',
  proto2_ext: 'protobuf messages',
  proto3: 'protobuf messages',
  wrappers: 'protobuf messages',
}

/** Cases where cel-go in the version of Kubernetes 1.36 answers otherwise. */
const ANSWERED_OTHERWISE: Readonly<Record<string, string>> = {
  'string_ext/value_errors/indexof_out_of_range': 'an offset behind the end answers -1',
  'string_ext/value_errors/lastindexof_out_of_range': 'an offset behind the end answers -1',
}

/** Cases of `string_ext/format` about another version of `format` than Kubernetes has. */
const FORMAT_VERSION = 'format as version 1 of the string extension has it'
const FORMATTED_OTHERWISE = new Set([
  'scientific notation formatting clause',
  'default precision for scientific notation',
  'positive infinity support for scientific notation',
  'negative infinity support for scientific notation',
  'NaN support for decimal',
  'positive infinity support for decimal',
  'negative infinity support for decimal',
  'positive infinity support for fixed-point',
  'negative infinity support for fixed-point',
  'list support for string',
  'map support for string',
  'map support (all key types)',
  'dyntype support for scientific notation',
  'dyntype NaN/infinity support',
  'dyntype support for lists',
  'dyntype support for maps',
  'scientific notation formatting clause in a string variable',
])

const MESSAGES =
  /TestAllTypes|^Value\{|NestedTestAllTypes|GlobalEnum|NestedEnum|google\.protobuf\.(?!Timestamp\b(?!\{)|Duration\b(?!\{))/

/** How many of the cases are left out, by reason: neither more nor fewer. */
const EXCLUDED: Readonly<Record<string, number>> = {
  'an offset behind the end answers -1': 2,
  'base64.encode and base64.decode are not in the environment': 4,
  'cel.@block is made by optimizers, not written': 37,
  'evaluates what the checker refuses': 28,
  [FORMAT_VERSION]: 17,
  'math.* is not in the environment': 199,
  'protobuf messages': 682,
}

/** Why a case is left out; undefined: it is run. */
function exclusionOf({ name, original }: OfficialCase): string | undefined {
  const file = name.split('/', 1)[0] ?? ''
  const isFormat = FORMATTED_OTHERWISE.has(name.replace(/^string_ext\/format\//, ''))
  const excluded = EXCLUDED_FILES[file] ?? ANSWERED_OTHERWISE[name] ?? (isFormat ? FORMAT_VERSION : undefined)
  if (excluded !== undefined) return excluded
  if (MESSAGES.test(original.expr)) return 'protobuf messages'
  try {
    bindingsOf(original)
    variablesOf(original)
    if (original.resultMatcher.case === 'value') officialValue(original.resultMatcher.value)
    if (original.resultMatcher.case === 'typedResult') typeOf(original.resultMatcher.value.deducedType)
  } catch (error) {
    if (error instanceof Unsupported) return 'protobuf messages'
    throw error
  }
  const isRefused = original.disableCheck && 'issues' in compiledCase(original)
  return isRefused && original.resultMatcher.case !== 'evalError' ? 'evaluates what the checker refuses' : undefined
}

function compiledCase(original: OfficialCase['original']) {
  const environment = createEnvironment({
    variables: variablesOf(original),
    container: original.container,
    libraries: [...KUBERNETES_LIBRARIES, functionsOf(original)],
  })
  return compile(original.expr, environment)
}

/** What a case says about ours: undefined when it is as it should be. */
function findingOf({ original }: OfficialCase): string | undefined {
  const compiled = compiledCase(original)
  const { resultMatcher: wanted } = original
  if ('issues' in compiled) return wanted.case === 'evalError' ? undefined : compiled.text
  const { program } = compiled
  if (wanted.case === 'typedResult') {
    const type = typeOf(wanted.value.deducedType)
    if (!sameType(program.type, type)) return `type ${typeText(program.type)} instead of ${typeText(type)}`
    if (original.checkOnly || wanted.value.result === undefined) return undefined
    return difference(program.evaluate(bindingsOf(original)).value, officialValue(wanted.value.result))
  }
  const { value } = program.evaluate(bindingsOf(original))
  if (wanted.case === 'evalError') return value instanceof CelError ? undefined : `no error but ${show(value)}`
  return difference(value, wanted.case === 'value' ? officialValue(wanted.value) : true)
}

function difference(actual: CelValue | CelError, wanted: CelValue): string | undefined {
  if (actual instanceof CelError) return `error: ${actual.message}`
  if (Object.is(actual, wanted)) return undefined
  const same = equal(actual, wanted) && typeof actual === typeof wanted
  return same ? undefined : `${show(actual)} instead of ${show(wanted)}`
}

function show(value: CelValue): string {
  if (value instanceof ObjectValue || typeof value !== 'object') return String(value)
  return JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? `${part}n` : part))
}

test('the official cases hold, but for those that are about what Kubernetes leaves out', () => {
  const cases = officialCases()
  const excluded: Record<string, number> = {}
  const findings: string[] = []
  for (const official of cases) {
    const reason = exclusionOf(official)
    if (reason === undefined) {
      const finding = findingOf(official)
      if (finding !== undefined) findings.push(`${official.name}: ${official.original.expr}\n  ${finding}`)
    } else {
      excluded[reason] = (excluded[reason] ?? 0) + 1
    }
  }
  expect(findings).toEqual([])
  expect(excluded).toEqual(EXCLUDED)
  expect(cases.length).toBe(2344)
})

/** Refusals that are not compared: of what cel-go was not given there, of small limits, of checks of format strings. */
const NOT_COMPARED =
  /unsupported syntax|existsOne|transform(List|Map)|cel\.(bind|block)|exceeded|\.format\(|(all|exists|exists_one)\(\w+, \w+, /

/** Mistakes behind which cel-go finds a way on, and then more mistakes. */
const RECOVERED_OTHERWISE = ['func{{a}}', '`b-c`', 'a.`$b`']

test('expressions that are refused are refused in the words of cel-go', () => {
  const differing: string[] = []
  let compared = 0
  for (const { original, error } of refusedCases()) {
    if (NOT_COMPARED.test(`${original.expr}${error}`) || MESSAGES.test(original.expr)) continue
    compared++
    const options = { variables: variablesOf(original), container: original.container, libraries: [STRINGS] }
    const compiled = compile(original.expr, createEnvironment(options))
    if (!('issues' in compiled) || compiled.text !== error) differing.push(original.expr)
  }
  expect(differing).toEqual(RECOVERED_OTHERWISE)
  expect(compared).toBe(205)
})
