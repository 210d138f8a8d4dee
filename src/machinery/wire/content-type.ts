/**
 * Media types as HTTP writes them: one of `Content-Type`, a list with preferences of `Accept`.
 *
 *   application/json;as=Table;v=v1;g=meta.k8s.io;q=0.9  →  type, parameters { as, v, g }, quality 0.9
 */

export interface MediaType {
  /** In lower case, without parameters: `application/json`, `text/*`. */
  readonly type: string
  /** Names in lower case; `q` is not among them. */
  readonly parameters: ReadonlyMap<string, string>
  /** 0 (never) to 1; 1 when absent. */
  readonly quality: number
}

/** An `Accept` header with more alternatives than this is cut: nobody honest sends more than a dozen. */
const ALTERNATIVES_MAX = 64

const TYPE = /^[!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+$/

/** Undefined when `text` is no media type. Quoted parameter values are unquoted. */
export function parseMediaType(text: string): MediaType | undefined {
  const [first = '', ...rest] = splitOutsideQuotes(text, ';')
  const type = first.trim().toLowerCase()
  if (!TYPE.test(type)) return undefined
  const parameters = new Map<string, string>()
  let quality = 1
  for (const parameter of rest) {
    const equals = parameter.indexOf('=')
    if (equals < 0) {
      if (parameter.trim() === '') continue
      return undefined
    }
    const name = parameter.slice(0, equals).trim().toLowerCase()
    const value = unquoted(parameter.slice(equals + 1).trim())
    if (name === 'q') quality = parseQuality(value)
    else parameters.set(name, value)
  }
  return { type, parameters, quality }
}

/**
 * The alternatives of an `Accept` header, best first: by quality, then the more specific, then as written.
 * What is no media type or has quality 0 is left out. An absent or empty header accepts everything.
 */
export function parseAccept(header = ''): readonly MediaType[] {
  const known = parsed.get(header)
  if (known !== undefined) return known
  const alternatives = header.trim() === '' ? [ANYTHING] : alternativesOf(header)
  if (header.length > REMEMBERED_LENGTH_MAX) return alternatives
  if (parsed.size >= REMEMBERED_MAX) parsed.clear()
  parsed.set(header, alternatives)
  return alternatives
}

/** Every client says the same with all its requests. With one more than these all are forgotten. */
const REMEMBERED_MAX = 256
/** Characters; longer headers are nobody's habit. */
const REMEMBERED_LENGTH_MAX = 512
const parsed = new Map<string, readonly MediaType[]>()

function alternativesOf(header: string): readonly MediaType[] {
  return splitOutsideQuotes(header, ',')
    .slice(0, ALTERNATIVES_MAX)
    .map(parseMediaType)
    .filter((media) => media !== undefined)
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality || specificity(b) - specificity(a))
}

const ANYTHING: MediaType = { type: '*/*', parameters: new Map(), quality: 1 }

/** Whether `accepted`, which may be anything or `application/*`, covers `type`. */
export function mediaTypeCovers(accepted: string, type: string): boolean {
  if (accepted === '*/*' || accepted === type) return true
  return accepted.endsWith('/*') && type.startsWith(accepted.slice(0, -1))
}

/** The one of `types` that an `Accept` header asks for first, as it is: not transformed (`as`). Undefined: none of them. */
export function preferredType(header: string | undefined, types: readonly string[]): string | undefined {
  for (const { type, parameters } of parseAccept(header)) {
    const found = parameters.has('as') ? undefined : types.find((candidate) => mediaTypeCovers(type, candidate))
    if (found !== undefined) return found
  }
  return undefined
}

function specificity({ type }: MediaType): number {
  if (type === '*/*') return 0
  return type.endsWith('/*') ? 1 : 2
}

function parseQuality(text: string): number {
  const quality = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?|\.\d{1,3})$/.test(text) ? Number(text) : 1
  return Number.isFinite(quality) ? quality : 1
}

function unquoted(text: string): string {
  if (!text.startsWith('"') || !text.endsWith('"') || text.length < 2) return text
  return text.slice(1, -1).replace(/\\(.)/g, '$1')
}

function splitOutsideQuotes(text: string, separator: string): readonly string[] {
  if (!text.includes('"')) return text.split(separator)
  const parts: string[] = []
  let start = 0
  let quoted = false
  for (let position = 0; position < text.length; position++) {
    const character = text[position]
    if (quoted && character === '\\') position++
    else if (character === '"') quoted = !quoted
    else if (!quoted && character === separator) {
      parts.push(text.slice(start, position))
      start = position + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}
