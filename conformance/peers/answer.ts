/** Two answers to one request, compared: the code, the headers that matter, the body apart from its volatile parts. */

import type { Answer } from './peer.ts'
import { type Difference, differencesOf } from './values.ts'
import { steady, steadyHeaders, steadyText } from './volatile.ts'

export function answerDifferences(upstream: Answer, t8s: Answer, compare?: 'status'): readonly Difference[] {
  const codes = differencesOf('status', upstream.status, t8s.status)
  if (compare === 'status') return codes
  return [
    ...codes,
    ...headerDifferences(upstream, t8s),
    ...differencesOf('body', steady(parsedBody(upstream)), steady(parsedBody(t8s))),
  ]
}

function headerDifferences(upstream: Answer, t8s: Answer): readonly Difference[] {
  const [left, right] = [steadyHeaders(upstream.headers), steadyHeaders(t8s.headers)]
  return differencesOf('header', left, right).map((difference) => ({
    ...difference,
    where: difference.where.replace('header.', 'header '),
  }))
}

/** JSON as a value, a watch as the list of its events, everything else as lines of text. */
export function parsedBody({ headers, body }: Answer): unknown {
  const type = String(headers['content-type'] ?? '')
  const text = body.toString()
  if (text === '') return ''
  if (type.startsWith('application/json')) return parsedJson(text)
  if (type.includes('protobuf')) return `${body.length > 0 ? 'some' : 'no'} bytes`
  return steadyText(text).split('\n')
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text.split('\n').filter(Boolean).map(parsedLine)
  }
}

function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return line
  }
}
