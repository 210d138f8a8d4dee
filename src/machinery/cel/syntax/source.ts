/** The text of an expression: positions in it, and how a mistake at a position is shown. */

/** One thing that is wrong with an expression. Lines count from 1, columns from 0 in characters. */
export interface Issue {
  readonly line: number
  readonly column: number
  readonly message: string
}

/** Issues that are shown; the rest is counted. */
const ISSUES_SHOWN_MAX = 100

/** Lines longer than this many characters are not shown under their message. */
const SNIPPET_CHARACTERS_MAX = 16_384

/** An issue at an offset in UTF-16 units. Offsets below zero stand for no place at all. */
export function issueAt(source: string, offset: number, message: string): Issue {
  if (offset < 0) return { line: -1, column: -1, message }
  const lineStart = source.lastIndexOf('\n', offset - 1) + 1
  let line = 1
  for (let index = source.indexOf('\n'); index !== -1 && index < lineStart; index = source.indexOf('\n', index + 1)) {
    line++
  }
  return { line, column: source === '' ? -1 : [...source.slice(lineStart, offset)].length, message }
}

/** All issues as cel-go prints them, in the order of their places. */
export function renderIssues(source: string, issues: readonly Issue[]): string {
  const ordered = [...issues].sort((left, right) => left.line - right.line || left.column - right.column)
  // Upstream has no place in an empty text: column 0, and no line to show.
  const lines = source === '' ? [] : source.split('\n')
  const shown = ordered.slice(0, ISSUES_SHOWN_MAX).map((issue) => renderIssue(lines[issue.line - 1], issue))
  if (ordered.length > ISSUES_SHOWN_MAX) shown.push(`${ordered.length - ISSUES_SHOWN_MAX} more errors were truncated`)
  return shown.join('\n')
}

function renderIssue(snippet: string | undefined, { line, column, message }: Issue): string {
  const head = `ERROR: <input>:${line}:${column + 1}: ${message}`
  if (snippet === undefined) return head
  const characters = [...snippet.replaceAll('\t', ' ')]
  if (characters.length > SNIPPET_CHARACTERS_MAX) return head
  const dots = characters.slice(0, Math.max(0, column)).map((character) => (isWide(character) ? '．' : '.'))
  const mark = isWide(characters[column] ?? '') ? '＾' : '^'
  return `${head}\n | ${characters.join('')}\n | ${dots.join('')}${mark}`
}

function isWide(character: string): boolean {
  return (character.codePointAt(0) ?? 0) >= 0x80
}
