import { expect, test } from 'vitest'
import { randomInteger, seededRandom } from '../../base/random.ts'
import { readAsJson } from './json-as-yaml.ts'
import { decodeYaml } from './yaml.ts'

const random = seededRandom(11)
const oneOf = <T>(...values: readonly T[]): T => values[randomInteger(random, values.length)] as T

/** Texts of JSON values, some of which YAML reads in another way. */
function anyJson(depth: number): string {
  if (depth === 0 || random.next() < 0.3) return oneOf(...SCALARS)
  const parts = Array.from({ length: randomInteger(random, 4) }, () => anyJson(depth - 1))
  const gap = oneOf('', ' ')
  if (random.next() < 0.4) return `[${parts.join(`,${gap}`)}]`
  return `{${parts.map((part) => `${oneOf(...KEYS)}:${gap}${part}`).join(`,${gap}`)}}`
}

const SCALARS = [
  ...['0', '-0', '7', '-1', '1.0', '0.5', '1e5', '1E-2', '1e+3', '12345678901234567890', 'true', 'false', 'null'],
  ...[
    '""',
    '"a"',
    '"on"',
    '"1"',
    '"~"',
    '"a: b # c"',
    '"\\n\\t\\"\\\\\\/"',
    '"\\u00e9\\ud83d\\ude00"',
    '"é"',
    '"{[,:]}"',
  ],
]
const KEYS = [
  '"a"',
  '"b"',
  '"<<"',
  '"a.b/c"',
  '"1"',
  '"y"',
  '"é"',
  '"__proto__"',
  '"\\u0061"',
  '""',
  `"${'k'.repeat(1_001)}"`,
]

/** As YAML, whatever it is: a comment comes first. */
function asYaml(json: string): unknown {
  try {
    return decodeYaml(Buffer.from(`# YAML\n${json}`))
  } catch (error) {
    return String(error)
  }
}

test('what is read as JSON is what a reader of YAML makes of it', () => {
  let read = 0
  for (let round = 0; round < 2_000; round++) {
    const json = `{"spec":${anyJson(4)}}${oneOf('', '\n')}`
    const value = readAsJson(Buffer.from(json))
    if (value === undefined) continue
    read++
    expect(JSON.stringify(value), json).toBe(JSON.stringify(asYaml(json)))
  }
  expect(read).toBeGreaterThan(100)
})

test.each([
  ['a key that stands twice', '{"a":1,"a":2}'],
  ['a key that stands twice in other letters', '{"a":1,"\\u0061":2}'],
  ['an exponent', '{"a":1e5}'],
  ['several lines', '{"a":\n1}'],
  ['tabs', '{"a":\t1}'],
  ['other letters', '{"a":"é"}'],
  ['deep nesting', `{"a":${'['.repeat(60)}${']'.repeat(60)}}`],
  ['a long key', `{"${'k'.repeat(1_001)}":1}`],
  ['no object', '[1]'],
  ['what is no JSON', '{a: 1}'],
  ['what does not end', '{"a'],
  ['more than one document', '{"a":1} {"b":2}'],
])('leaves %s to the reader of YAML', (_what, text) => {
  expect(readAsJson(Buffer.from(text))).toBeUndefined()
})
