/**
 * Tokens that a file lists, as long as it lists them: lines of `token,user,uid,"group,group"`, in the quoting of
 * spreadsheets. Upstream's format and messages.
 */

import type { UserInfo } from '../../../machinery/wire/message.ts'

export interface StaticTokens {
  readonly users: ReadonlyMap<string, UserInfo>
  /** What is odd about the file and no reason to refuse it. Tokens do not appear. */
  readonly warnings: readonly string[]
}

const COLUMNS_MIN = 3

/** Throws what is wrong with the text. `path` is for messages. */
export function parseStaticTokens(text: string, path: string): StaticTokens {
  const users = new Map<string, UserInfo>()
  const warnings: string[] = []
  for (const [index, record] of records(text).entries()) {
    const [token = '', name = '', uid = '', groups] = record
    if (record.length < COLUMNS_MIN)
      throw new Error(
        `token file '${path}' must have at least 3 columns (token, user name, user uid), found ${record.length}`,
      )
    const place = `in token file '${path}', record number '${index + 1}'`
    if (token === '') {
      warnings.push(`empty token has been found ${place}`)
      continue
    }
    if (users.has(token)) warnings.push(`duplicate token has been found ${place}`)
    users.set(token, {
      name,
      ...(uid !== '' && { uid }),
      groups: (groups ?? '').split(',').filter((group) => group !== ''),
    })
  }
  return { users, warnings }
}

/** Records of comma-separated values: a field in quotes may hold commas, line ends, and quotes that are doubled. */
function records(text: string): readonly (readonly string[])[] {
  const found: string[][] = []
  let record: string[] = []
  let position = 0
  while (position < text.length) {
    if (record.length === 0 && isLineEnd(text, position)) {
      position += lineEnd(text, position)
      continue
    }
    const { field, end } =
      text[position] === '"' ? quotedField(text, position, found.length) : plainField(text, position, found.length)
    record.push(field)
    position = end
    if (text[position] === ',') {
      position++
      if (position < text.length && !isLineEnd(text, position)) continue
      record.push('')
    }
    position += lineEnd(text, position)
    found.push(record)
    record = []
  }
  return found
}

interface Field {
  readonly field: string
  /** Where the comma or the line end after it is. */
  readonly end: number
}

function plainField(text: string, start: number, before: number): Field {
  let end = start
  while (end < text.length && text[end] !== ',' && !isLineEnd(text, end)) end++
  const field = text.slice(start, end)
  if (field.includes('"')) throw new Error(`record number ${before + 1}: bare " in non-quoted field`)
  return { field, end }
}

function quotedField(text: string, start: number, before: number): Field {
  let field = ''
  for (let position = start + 1; position < text.length; position++) {
    if (text[position] !== '"') field += text[position]
    else if (text[position + 1] === '"') {
      field += '"'
      position++
    } else {
      const end = position + 1
      if (end === text.length || text[end] === ',' || isLineEnd(text, end)) return { field, end }
      break
    }
  }
  throw new Error(`record number ${before + 1}: extraneous or missing " in quoted-field`)
}

function isLineEnd(text: string, position: number): boolean {
  return lineEnd(text, position) > 0
}

/** How many characters end the line here. */
function lineEnd(text: string, position: number): number {
  if (text[position] === '\n') return 1
  return text[position] === '\r' && text[position + 1] === '\n' ? 2 : 0
}
