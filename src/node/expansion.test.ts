import { expect, test } from 'vitest'
import { expand } from './expansion.ts'

const known = new Map([
  ['A', 'a'],
  ['EMPTY', ''],
  ['with.dot', 'dotted'],
  ['NESTED', '$(A)'],
])

for (const [text, expected] of [
  ['plain', 'plain'],
  ['$(A)', 'a'],
  ['x$(A)y$(A)z', 'xayaz'],
  ['$(EMPTY)', ''],
  ['$(with.dot)', 'dotted'],
  ['$(NESTED)', '$(A)'],
  ['$(UNKNOWN)', '$(UNKNOWN)'],
  ['$$(A)', '$(A)'],
  ['$$$(A)', '$a'],
  ['$$$$(A)', '$$(A)'],
  ['$A', '$A'],
  ['$(A', '$(A'],
  ['$', '$'],
  ['a$', 'a$'],
  ['$()', '$()'],
  ['`echo $(A)`', '`echo a`'],
] as const) {
  test(`${text} becomes ${expected}`, () => expect(expand(text, (name) => known.get(name))).toBe(expected))
}
