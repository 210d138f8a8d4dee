/** IPv4 and IPv6 addresses and CIDR blocks as numbers. Strict: no leading zeros, no short forms of IPv4. */

import { isIPv4, isIPv6 } from 'node:net'

export interface Cidr {
  readonly family: 4 | 6
  /** The first address of the block. */
  readonly base: bigint
  readonly prefixLength: number
}

export function isIp(text: string): boolean {
  return isIPv4(text) || isIPv6(text)
}

export function parseIp(text: string): { readonly family: 4 | 6; readonly value: bigint } | undefined {
  if (isIPv4(text))
    return { family: 4, value: BigInt(text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)) }
  if (!isIPv6(text) || text.includes('%')) return undefined
  return { family: 6, value: parseIpv6(text) }
}

function parseIpv6(text: string): bigint {
  const [head = '', tail] = text.split('::')
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const middle: number[] = new Array(8 - left.length - right.length).fill(0)
  return [...left, ...middle, ...right].reduce((sum, group) => (sum << 16n) | BigInt(group), 0n)
}

function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}

export function formatIp(family: 4 | 6, value: bigint): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
  const hex = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16))
  const zeros = /(?:^|:)0(?::0)+(?=:|$)/g
  const longest = [...hex.join(':').matchAll(zeros)].map((match) => match[0]).sort((x, y) => y.length - x.length)[0]
  if (longest === undefined) return hex.join(':')
  const [before = '', ...after] = hex.join(':').split(longest)
  return `${before}::${after.join(longest).replace(/^:/, '')}`
}

/** `10.96.0.0/16`. The host bits must be given but may be set; `base` is masked. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text)
  const address = match?.[1] === undefined ? undefined : parseIp(match[1])
  if (!match || !address || (match[2] !== '0' && match[2]?.startsWith('0'))) return undefined
  const bits = address.family === 4 ? 32 : 128
  const prefixLength = Number(match[2])
  if (prefixLength > bits) return undefined
  const hostBits = BigInt(bits - prefixLength)
  return { family: address.family, base: (address.value >> hostBits) << hostBits, prefixLength }
}

export function formatCidr(cidr: Cidr): string {
  return `${formatIp(cidr.family, cidr.base)}/${cidr.prefixLength}`
}

export function cidrSize(cidr: Cidr): bigint {
  return 1n << BigInt((cidr.family === 4 ? 32 : 128) - cidr.prefixLength)
}

export function cidrContains(cidr: Cidr, ip: string): boolean {
  const address = parseIp(ip)
  return address?.family === cidr.family && address.value >= cidr.base && address.value < cidr.base + cidrSize(cidr)
}

export function cidrsOverlap(left: Cidr, right: Cidr): boolean {
  if (left.family !== right.family) return false
  return left.base < right.base + cidrSize(right) && right.base < left.base + cidrSize(left)
}

/** The address `offset` places after the start of the block. */
export function addressAt(cidr: Cidr, offset: number | bigint): string {
  return formatIp(cidr.family, cidr.base + BigInt(offset))
}
