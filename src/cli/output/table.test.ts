import { expect, test } from 'vitest'
import { tableText } from './table.ts'

test('aligns columns and leaves no blanks at the end', () => {
  expect(
    tableText(
      ['NAME', 'AGE'],
      [
        ['a-long-name', ''],
        ['b', '5m'],
      ],
    ),
  ).toBe('NAME          AGE\na-long-name\nb             5m\n')
})
