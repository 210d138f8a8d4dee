import { describe, expect, test } from 'vitest'
import { compile, createEnvironment } from './cel.ts'
import { KUBERNETES_LIBRARIES } from './kubernetes/libraries.ts'
import { equal } from './operators/equality.ts'
import {
  bindingsOf,
  type OfficialCase,
  officialCases,
  officialValue,
  typeOf,
  Unsupported,
  variablesOf,
} from './test-conformance.ts'
import { sameType, typeText } from './types.ts'
import { CelError, type CelValue } from './values.ts'

/** What a case says about ours: undefined when it is as it should be. */
function finding({ original }: OfficialCase): string | undefined {
  const environment = createEnvironment({
    variables: variablesOf(original),
    container: original.container,
    libraries: KUBERNETES_LIBRARIES,
  })
  const compiled = compile(original.expr, environment)
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
  if (typeof actual === 'number' && typeof wanted === 'number' && Number.isNaN(actual) && Number.isNaN(wanted))
    return undefined
  return equal(actual, wanted) && typeof actual === typeof wanted
    ? undefined
    : `${show(actual)} instead of ${show(wanted)}`
}

function show(value: CelValue): string {
  return typeof value === 'object'
    ? JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? `${part}n` : part))
    : String(value)
}

describe('official cases', () => {
  test('all', () => {
    const by = new Map<string, [number, number, number]>()
    const out: string[] = []
    for (const official of officialCases()) {
      const file = official.name.split('/')[0] ?? ''
      const count = by.get(file) ?? [0, 0, 0]
      by.set(file, count)
      try {
        const found = finding(official)
        if (found === undefined) count[0]++
        else {
          count[1]++
          out.push(`${official.name}: ${official.original.expr}\n      ${found}`)
        }
      } catch (error) {
        if (!(error instanceof Unsupported)) {
          out.push(`${official.name}: THROWS ${error instanceof Error ? error.stack : error}`)
        } else out.push(`${official.name}: unsupported ${error.message}`)
        count[2]++
      }
    }
    console.log(out.join('\n'))
    console.log([...by].map(([file, [ok, bad, un]]) => `${file}: ${ok} ok ${bad} bad ${un} unsupported`).join('\n'))
    expect(1).toBe(1)
  })
})
