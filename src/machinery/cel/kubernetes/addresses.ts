/** `ip('10.0.0.1')`, `cidr('10.0.0.0/8')` and what can be asked of them. Zones and IPv4 within IPv6 are refused. */

import { formatIp, parseIp } from '../../../base/ip.ts'
import type { Library } from '../declarations.ts'
import { COST_PER_CHARACTER, sizeForCost } from '../evaluate/actual-cost.ts'
import { costing, declare, member, overload } from '../library/declare.ts'
import { NO_SUCH_OVERLOAD } from '../operators/equality.ts'
import { BOOL, INT, opaqueType, STRING } from '../types.ts'
import { CelError, type CelValue, OpaqueValue, type Result } from '../values.ts'
import { addressFailure } from './address-failures.ts'
import { nominal, perCharacter, perCharacterTwice } from './costs.ts'

const IP = opaqueType('net.IP')
const CIDR = opaqueType('net.CIDR')

class IpValue extends OpaqueValue {
  readonly type = IP
  readonly family: 4 | 6
  readonly value: bigint
  constructor(family: 4 | 6, value: bigint) {
    super()
    this.family = family
    this.value = value
  }
  equals(other: OpaqueValue): boolean {
    return other instanceof IpValue && other.family === this.family && other.value === this.value
  }
  override toString(): string {
    return formatIp(this.family, this.value)
  }
  /** The bits from the left, `count` of them. */
  prefix(count: number): bigint {
    return this.value >> BigInt(bitsOf(this.family) - count)
  }
}

class CidrValue extends OpaqueValue {
  readonly type = CIDR
  readonly address: IpValue
  readonly prefixLength: number
  constructor(address: IpValue, prefixLength: number) {
    super()
    this.address = address
    this.prefixLength = prefixLength
  }
  equals(other: OpaqueValue): boolean {
    return other instanceof CidrValue && other.prefixLength === this.prefixLength && this.address.equals(other.address)
  }
  override toString(): string {
    return `${this.address.toString()}/${this.prefixLength}`
  }
  masked(): CidrValue {
    const hostBits = BigInt(bitsOf(this.address.family) - this.prefixLength)
    return new CidrValue(
      new IpValue(this.address.family, this.address.prefix(this.prefixLength) << hostBits),
      this.prefixLength,
    )
  }
  contains(ip: IpValue): boolean {
    if (ip.family !== this.address.family) return false
    return ip.prefix(this.prefixLength) === this.address.prefix(this.prefixLength)
  }
}

function bitsOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128
}

/** `::ffff:0:0/96`, in which IPv4 addresses are written as IPv6. */
const MAPPED_IPV4 = 0xffffn

function parseAddress(text: string): IpValue | CelError {
  const quoted = JSON.stringify(text)
  const bare = /^([^%]*:[^%]*)%.+$/.exec(text)?.[1]
  const parsed = parseIp(bare ?? text)
  if (parsed === undefined) {
    return new CelError(`IP Address ${quoted} parse error during conversion from string: ${addressFailure(text)}`)
  }
  if (bare !== undefined) return new CelError(`IP address ${quoted} with zone value is not allowed`)
  if (parsed.family === 6 && parsed.value >> 32n === MAPPED_IPV4) {
    return new CelError(`IPv4-mapped IPv6 address ${quoted} is not allowed`)
  }
  return new IpValue(parsed.family, parsed.value)
}

function parseBlock(text: string): CidrValue | CelError {
  const told = 'network address parse error during conversion from string: '
  const unreadable = (reason: string) =>
    new CelError(`${told}${told}netip.ParsePrefix(${JSON.stringify(text)}): ${reason}`)
  const slash = text.lastIndexOf('/')
  if (slash < 0) return unreadable("no '/'")
  const address = text.slice(0, slash)
  const bits = text.slice(slash + 1)
  const bare = /^([^%]*:[^%]*)%.+$/.exec(address)?.[1]
  const ip = parseIp(bare ?? address)
  if (ip === undefined) return unreadable(addressFailure(address))
  if (bare !== undefined) return unreadable('IPv6 zones cannot be present in a prefix')
  if (!/^(?:0|[1-9]\d*)$/.test(bits)) return unreadable(`bad bits after slash: ${JSON.stringify(bits)}`)
  if (Number(bits) > bitsOf(ip.family)) return unreadable('prefix length out of range')
  if (ip.family === 6 && ip.value >> 32n === MAPPED_IPV4) {
    return new CelError(`${told}IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`)
  }
  return new CidrValue(new IpValue(ip.family, ip.value), Number(bits))
}

function isCanonical(text: string): Result {
  const ip = parseAddress(text)
  return ip instanceof CelError ? ip : ip.toString() === text
}

/** Whether the address lies in a block, written by its leading bits. */
function isIn(ip: IpValue, ipv4: readonly [bigint, number], ipv6: readonly [bigint, number]): boolean {
  const [bits, count] = ip.family === 4 ? ipv4 : ipv6
  return ip.prefix(count) === bits
}

const isUnspecified = ({ value }: IpValue): boolean => value === 0n
const isLoopback = (ip: IpValue): boolean => isIn(ip, [127n, 8], [1n, 128])
const isMulticast = (ip: IpValue): boolean => isIn(ip, [0xen, 4], [0xffn, 8])
const isLinkLocalMulticast = (ip: IpValue): boolean =>
  ip.family === 4 ? ip.prefix(24) === 0xe00000n : (ip.prefix(16) & 0xff0fn) === 0xff02n
const isLinkLocalUnicast = (ip: IpValue): boolean => isIn(ip, [0xa9fen, 16], [0x3fan, 10])
const isGlobalUnicast = (ip: IpValue): boolean =>
  !(isUnspecified(ip) || isLoopback(ip) || isMulticast(ip) || isLinkLocalUnicast(ip)) &&
  !(ip.family === 4 && ip.value === 0xffffffffn)

function containsIp(block: CidrValue, ip: IpValue | string): Result {
  const address = typeof ip === 'string' ? parseAddress(ip) : ip
  return address instanceof CelError ? NO_SUCH_OVERLOAD : block.contains(address)
}

function containsCidr(block: CidrValue, other: CidrValue | string): Result {
  const inner = typeof other === 'string' ? parseBlock(other) : other
  if (inner instanceof CelError) return inner
  return block.contains(inner.address) && block.prefixLength <= inner.prefixLength
}

function addressSize(value: CelValue | undefined): number {
  if (value instanceof CidrValue) return bitsOf(value.address.family) / 8
  return value instanceof IpValue ? bitsOf(value.family) / 8 : sizeForCost(value)
}

/** Comparing the bytes; a text is walked through first. */
function containing(extra: number) {
  return ([block, other]: readonly CelValue[]): number => {
    const size = addressSize(block)
    const parsing = typeof other === 'string' ? Math.ceil(sizeForCost(other) * COST_PER_CHARACTER) : 0
    return Math.ceil(2 * size * COST_PER_CHARACTER) + parsing + (extra && extra + Math.ceil(size * COST_PER_CHARACTER))
  }
}

const question = (name: string, id: string, answer: (ip: IpValue) => boolean) =>
  declare(name, costing(nominal, [member(id, [IP], BOOL, answer)]))

export const ADDRESSES: Library = {
  name: 'kubernetes.net',
  functions: [
    declare('ip', [
      ...costing(perCharacter, [overload('string_to_ip', [STRING], IP, parseAddress)]),
      ...costing(nominal, [member('cidr_ip', [CIDR], IP, ({ address }: CidrValue) => address)]),
    ]),
    declare('family', costing(nominal, [member('ip_family', [IP], INT, ({ family }: IpValue) => BigInt(family))])),
    declare('ip.isCanonical', costing(perCharacterTwice, [overload('ip_is_canonical', [STRING], BOOL, isCanonical)])),
    question('isUnspecified', 'ip_is_unspecified', isUnspecified),
    question('isLoopback', 'ip_is_loopback', isLoopback),
    question('isLinkLocalMulticast', 'ip_is_link_local_multicast', isLinkLocalMulticast),
    question('isLinkLocalUnicast', 'ip_is_link_local_unicast', isLinkLocalUnicast),
    question('isGlobalUnicast', 'ip_is_global_unicast', isGlobalUnicast),
    declare(
      'isIP',
      costing(perCharacter, [
        overload('is_ip', [STRING], BOOL, (text: string) => !(parseAddress(text) instanceof CelError)),
      ]),
    ),
    declare('string', [
      overload('ip_to_string', [IP], STRING, (ip: IpValue) => ip.toString()),
      overload('cidr_to_string', [CIDR], STRING, (cidr: CidrValue) => cidr.toString()),
    ]),
    declare('cidr', costing(perCharacter, [overload('string_to_cidr', [STRING], CIDR, parseBlock)])),
    declare(
      'containsIP',
      costing(containing(0), [
        member('cidr_contains_ip_string', [CIDR, STRING], BOOL, containsIp),
        member('cidr_contains_ip_ip', [CIDR, IP], BOOL, containsIp),
      ]),
    ),
    declare(
      'containsCIDR',
      costing(containing(1), [
        member('cidr_contains_cidr_string', [CIDR, STRING], BOOL, containsCidr),
        member('cidr_contains_cidr', [CIDR, CIDR], BOOL, containsCidr),
      ]),
    ),
    declare(
      'prefixLength',
      costing(nominal, [
        member('cidr_prefix_length', [CIDR], INT, ({ prefixLength }: CidrValue) => BigInt(prefixLength)),
      ]),
    ),
    declare('masked', costing(nominal, [member('cidr_masked', [CIDR], CIDR, (cidr: CidrValue) => cidr.masked())])),
    declare(
      'isCIDR',
      costing(perCharacter, [
        overload('is_cidr', [STRING], BOOL, (text: string) => !(parseBlock(text) instanceof CelError)),
      ]),
    ),
  ],
}
