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

/** The form in which bytes are written: without line breaks. */
export function canonicalBase64(text: string): string {
  return /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, '') : text
}
