/** Why a text is no address, in the words of upstream's parser. Only for texts that are none. */

interface Failure {
  readonly message: string
  /** Where: the rest of the text from there. */
  readonly at?: string | undefined
}

/** The groups of an IPv6 address, and those that an IPv4 address at its end stands for. */
const GROUPS = 8
const IPV4_GROUPS = 2

export function addressFailure(text: string): string {
  const { message, at } = failureOf(text)
  return `ParseAddr(${JSON.stringify(text)}): ${message}${at === undefined ? '' : ` (at ${JSON.stringify(at)})`}`
}

function failureOf(text: string): Failure {
  const unreadable = { message: 'unable to parse IP' }
  switch (/[.:%]/.exec(text)?.[0]) {
    case '.':
      return ipv4Failure(text) ?? unreadable
    case ':':
      return zonedFailure(text) ?? unreadable
    case '%':
      return { message: 'missing IPv6 address' }
    default:
      return unreadable
  }
}

function ipv4Failure(text: string): Failure | undefined {
  let digits = ''
  let dots = 0
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index)
    if (/\d/.test(character)) {
      if (digits === '0') return { message: 'IPv4 field has octet with leading zero' }
      digits += character
      if (Number(digits) > 255) return { message: 'IPv4 field has value >255' }
    } else if (character === '.') {
      if (digits === '' || index === text.length - 1) {
        return { message: 'IPv4 field must have at least one digit', at: text.slice(index) }
      }
      if (dots === 3) return { message: 'IPv4 address too long' }
      dots++
      digits = ''
    } else {
      return { message: 'unexpected character', at: text.slice(index) }
    }
  }
  return dots < 3 ? { message: 'IPv4 address too short' } : undefined
}

function zonedFailure(text: string): Failure | undefined {
  const percent = text.indexOf('%')
  if (percent === text.length - 1) return { message: 'zone must be a non-empty string' }
  return ipv6Failure(percent < 0 ? text : text.slice(0, percent))
}

function ipv6Failure(text: string): Failure | undefined {
  let hasEllipsis = text.startsWith('::')
  let rest = hasEllipsis ? text.slice(2) : text
  let groups = 0
  while (groups < GROUPS) {
    const digits = /^[0-9a-fA-F]*/.exec(rest)?.[0] ?? ''
    if (digits.length > 4) return { message: 'each group must have 4 or less digits', at: rest }
    if (digits === '') return { message: 'each colon-separated field must have at least one digit', at: rest }
    if (rest[digits.length] === '.') return embeddedFailure(rest, groups, hasEllipsis)
    groups++
    rest = rest.slice(digits.length)
    if (rest === '') break
    if (!rest.startsWith(':')) return { message: 'unexpected character, want colon', at: rest }
    if (rest === ':') return { message: 'colon must be followed by more characters', at: rest }
    rest = rest.slice(1)
    if (!rest.startsWith(':')) continue
    if (hasEllipsis) return { message: 'multiple :: in address', at: rest }
    hasEllipsis = true
    rest = rest.slice(1)
    if (rest === '') break
  }
  if (rest !== '') return { message: 'trailing garbage after address', at: rest }
  if (groups < GROUPS) return hasEllipsis ? undefined : { message: 'address string too short' }
  return hasEllipsis ? { message: 'the :: must expand to at least one field of zeros' } : undefined
}

function embeddedFailure(rest: string, groups: number, hasEllipsis: boolean): Failure | undefined {
  if (!hasEllipsis && groups !== GROUPS - IPV4_GROUPS) {
    return { message: 'embedded IPv4 address must replace the final 2 fields of the address', at: rest }
  }
  if (groups + IPV4_GROUPS > GROUPS) {
    return { message: 'too many hex fields to fit an embedded IPv4 at the end of the address', at: rest }
  }
  return ipv4Failure(rest)
}
