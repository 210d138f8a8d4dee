/** Forms of scalars that are text in JSON and something else in Go: times and bytes. */

const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/

/** RFC 3339 with a valid calendar date; a leap second is not one. */
export function isTime(text: string): boolean {
  return text.length <= 64 && TIME.test(text) && millisecondsOf(text) !== undefined
}

function millisecondsOf(text: string): number | undefined {
  const milliseconds = Date.parse(text.replace(',', '.').replace(/(\.\d{3})\d+/, '$1'))
  if (Number.isNaN(milliseconds)) return undefined
  const [, , month = '', day = ''] = TIME.exec(text) ?? []
  const days = new Date(Date.UTC(Number(text.slice(0, 4)), Number(month), 0)).getUTCDate()
  return Number(day) <= days ? milliseconds : undefined
}

/** Upstream's words for text that is no time. */
export function parseTimeFailure(text: string): string {
  const value = JSON.stringify(text)
  return `parsing time ${value} as "2006-01-02T15:04:05Z07:00": cannot parse ${value} as "2006"`
}

/** Length of `2006-01-02T15:04:05`. */
const SECONDS_LENGTH = 19

/** A time with exactly six digits after the second. */
export function isMicroTime(text: string): boolean {
  return isTime(text) && /^\.\d{6}(Z|[+-])/.test(text.slice(SECONDS_LENGTH))
}

export function parseMicroTimeFailure(text: string): string {
  const [rest, wanted] = isTime(text) ? [text.slice(SECONDS_LENGTH), '.000000'] : [text, '2006']
  const layout = '2006-01-02T15:04:05.000000Z07:00'
  return `parsing time ${JSON.stringify(text)} as "${layout}": cannot parse ${JSON.stringify(rest)} as "${wanted}"`
}

/** Whole seconds, UTC: `2006-01-02T15:04:05Z`. Text that is no time stays as it is. */
export function canonicalTime(text: string): string {
  if (text.length === 20 && text.endsWith('Z')) return text
  const milliseconds = TIME.test(text) ? millisecondsOf(text) : undefined
  return milliseconds === undefined ? text : `${isoSeconds(milliseconds)}Z`
}

/** Microseconds, UTC: `2006-01-02T15:04:05.000000Z`. */
export function canonicalMicroTime(text: string): string {
  if (text.length === 27 && text.endsWith('Z')) return text
  const milliseconds = TIME.test(text) ? millisecondsOf(text) : undefined
  if (milliseconds === undefined) return text
  const fraction = (TIME.exec(text)?.[7] ?? '').padEnd(6, '0').slice(0, 6)
  return `${isoSeconds(milliseconds)}.${fraction}Z`
}

function isoSeconds(milliseconds: number): string {
  return new Date(Math.floor(milliseconds / 1000) * 1000).toISOString().slice(0, 19)
}

/** Standard base64 with padding; line breaks are ignored, as Go's decoder does. */
export function isValidBase64(text: string): boolean {
  const compact = /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, '') : text
  return compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact)
}

/** The byte of a text that is no base64 at which Go's decoder gives up. */
export function base64FailureOffset(text: string): number {
  let inGroup = 0
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index)
    if (character === '\r' || character === '\n') continue
    if (character === '=') return paddingFailureOffset(text, index, inGroup)
    if (!/[A-Za-z0-9+/]/.test(character)) return index
    inGroup = (inGroup + 1) % 4
  }
  return text.length - inGroup
}

/** Padding is one sign after three characters of a group and two after two, and then the text ends. */
function paddingFailureOffset(text: string, first: number, inGroup: number): number {
  if (inGroup < 2) return first
  if (inGroup === 3) return first + 1
  const second = first + 1
  if (second >= text.length) return text.length
  return text.charAt(second) === '=' ? second + 1 : first
}

/** The form in which bytes are written: without line breaks. */
export function canonicalBase64(text: string): string {
  return /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, '') : text
}
