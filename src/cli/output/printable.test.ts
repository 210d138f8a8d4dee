import { createColors } from 'picocolors'
import { expect, test } from 'vitest'
import { Failure } from '../failure.ts'
import { printable } from './printable.ts'
import { failureLines } from './terminal.ts'

for (const [what, text, shown] of [
  ['plain text', 'größer\tthan\nthis ✓', 'größer\tthan\nthis ✓'],
  ['a title for the window', 'a\u001b]0;evil\u0007b', 'a^[]0;evil^Gb'],
  ['a line that hides the one before', 'good\r\u001b[2Kbad', 'good^M^[[2Kbad'],
  ['the second kind of control characters', '\u009b31m', '\\u009b31m'],
  ['a backspace and a delete', 'a\b\u007f', 'a^H^?'],
] as const)
  test(`${what} is shown and not obeyed`, () => {
    expect(printable(text)).toBe(shown)
  })

test("so are the words of a failure, which may be a webhook's", () => {
  const failure = new Failure({ reason: 'ApiError', message: 'denied: \u001b[8mhidden', detail: 'see \u001b[1m' })
  expect(failureLines(failure, 'plain', createColors(false)).join('\n')).not.toContain('\u001b')
})
