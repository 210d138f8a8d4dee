/** Collects the warnings of a request and puts them on the answer, as kubectl prints them. */

import { whenThere } from '../../base/awaitable.ts'
import { type Filter, withHeaders } from './filter.ts'

/** Bytes of all warnings of one answer; upstream's limit. What does not fit is left out. */
const WARNING_BYTES_MAX = 4 * 1024
/** Characters of one warning once the total would be exceeded. */
const WARNING_LENGTH_CUT = 256

export function warnings(): Filter {
  return (next) =>
    ({ request, target }) => {
      let texts: Set<string> | undefined
      const warn = (text: string): void => {
        texts ??= new Set()
        texts.add(text)
      }
      return whenThere(next({ request: { ...request, warn }, target }), (answer) =>
        texts === undefined ? answer : withHeaders(answer, { warning: warningHeader([...texts]) }),
      )
    }
}

/** RFC 7234: code 299, agent unknown, the text quoted. Several stand in one header, with commas between. */
function warningHeader(texts: readonly string[]): string {
  const total = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  const values: string[] = []
  let bytes = 0
  for (const text of texts) {
    const value = `299 - ${quoted(total > WARNING_BYTES_MAX ? text.slice(0, WARNING_LENGTH_CUT) : text)}`
    bytes += value.length
    if (bytes > WARNING_BYTES_MAX) break
    values.push(value)
  }
  return values.join(', ')
}

/** Headers are Latin-1 on the wire: the UTF-8 bytes of the text are passed one by one. No control characters. */
function quoted(text: string): string {
  const visible = [...text].filter((character) => character >= ' ' && character !== '\x7f').join('')
  return `"${Buffer.from(visible.replace(/[\\"]/g, '\\$&')).toString('latin1')}"`
}
