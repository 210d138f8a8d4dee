/** Two answers to one request, compared: the code, the headers that matter, the body apart from its volatile parts. */

import { parse } from 'yaml'
import type { Comparison } from './case.ts'
import type { Answer } from './peer.ts'
import { type Difference, differencesOf, isRecord } from './values.ts'
import { steady, steadyHeaders, steadyText, withoutControlled } from './volatile.ts'

export function answerDifferences(upstream: Answer, t8s: Answer, compare?: Comparison): readonly Difference[] {
  const codes = differencesOf('status', upstream.status, t8s.status)
  if (compare === 'status') return codes
  // What one refuses and the other does not, has no fields to be compared.
  const form = codes.length > 0 ? shortOf : compare === undefined ? parsedBody : FORMS[compare]
  const bodies = [form(upstream), form(t8s)]
  return [...codes, ...headerDifferences(upstream, t8s), ...differencesOf('body', steady(bodies[0]), steady(bodies[1]))]
}

const FORMS = { structure: structureOf, uncontrolled: (answer: Answer) => withoutControlled(parsedBody(answer)) }

/** Without the fields named `description` that are texts. */
function structureOf(answer: Answer): unknown {
  return withoutTexts(parsedBody(answer))
}

function withoutTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTexts)
  if (!isRecord(value)) return value
  // A reference with a description beside it is wrapped.
  const { allOf } = value
  if (Array.isArray(allOf) && allOf.length === 1) return withoutTexts({ ...value, ...allOf[0], allOf: undefined })
  const kept = Object.entries(value).filter(
    ([key, child]) => child !== undefined && (key !== 'description' || typeof child !== 'string'),
  )
  return Object.fromEntries(kept.map(([key, child]) => [key, withoutTexts(child)]))
}

/** The message of a failure, the kind of an object. */
function shortOf(answer: Answer): unknown {
  const body = parsedBody(answer)
  if (!isRecord(body)) return body
  return body.message ?? body.kind
}

function headerDifferences(upstream: Answer, t8s: Answer): readonly Difference[] {
  const [left, right] = [steadyHeaders(upstream.headers), steadyHeaders(t8s.headers)]
  return differencesOf('header', left, right).map((difference) => ({
    ...difference,
    where: difference.where.replace('header.', 'header '),
  }))
}

/** JSON and YAML as values, a watch as the list of its events, everything else as lines of text. */
export function parsedBody({ headers, body }: Answer): unknown {
  const type = String(headers['content-type'] ?? '')
  const text = body.toString()
  if (text === '') return ''
  if (type.startsWith('application/json')) return parsedJson(text)
  if (type.startsWith('application/yaml')) return parse(text)
  if (type.includes('protobuf')) return `${body.length > 0 ? 'some' : 'no'} bytes`
  // The list of OpenAPI documents says that it is text.
  if (text.startsWith('{')) return parsedJson(text)
  return steadyText(text).split('\n')
}

function parsedJson(text: string): unknown {
  try {
    return inOneOrder(JSON.parse(text))
  } catch {
    return text.split('\n').filter(Boolean).map(parsedLine)
  }
}

/** Upstream names the conflicts of an apply in the order of a map, which is another each time. */
function inOneOrder(value: unknown): unknown {
  if (!isRecord(value) || value.code !== 409 || !isRecord(value.details) || !Array.isArray(value.details.causes))
    return value
  const causes = value.details.causes.map((cause) => JSON.stringify(cause)).sort()
  return { ...value, details: { ...value.details, causes: causes.map((cause) => JSON.parse(cause)) } }
}

function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return line
  }
}
