/** Addresses of services: every host address of the service range, the first of which belongs to the API server. */

import { addressAt, type Cidr, cidrContains, cidrSize, formatCidr, parseIp } from '../../../base/ip.ts'
import type { Random } from '../../../base/random.ts'
import { createPool, type StaticBandRule, staticBandOf } from './pool.ts'

export interface ClusterIpAllocator {
  /** Undefined: it is taken. Otherwise why it cannot be, in upstream's words. */
  take(address: string): string | undefined
  /** Undefined when there is no free one. */
  takeAny(): string | undefined
  release(address: string): void
  /** The address of `default/kubernetes`. */
  readonly first: string
  readonly family: 'IPv4' | 'IPv6'
}

/** Addresses considered in a large range: more services than one cluster can hold. */
const ADDRESSES_MAX = 1 << 20
/** Upstream's, for addresses. */
const STATIC_BAND: StaticBandRule = { step: 16, max: 256 }

export function createClusterIpAllocator(cidr: Cidr, random: Random): ClusterIpAllocator {
  // Without the network's own address and, in IPv4, the broadcast address.
  const hosts = Number(cidrSize(cidr) > BigInt(ADDRESSES_MAX) ? BigInt(ADDRESSES_MAX) : cidrSize(cidr))
  const size = Math.max(1, hosts - (cidr.family === 4 ? 2 : 1))
  const pool = createPool({ size, staticBand: staticBandOf(size, STATIC_BAND), random })
  const offsetOf = (address: string): number | undefined => {
    const value = parseIp(address)?.value
    const offset = value === undefined ? -1 : Number(value - cidr.base) - 1
    return cidrContains(cidr, address) && offset >= 0 && offset < size ? offset : undefined
  }
  return {
    first: addressAt(cidr, 1),
    family: cidr.family === 4 ? 'IPv4' : 'IPv6',
    take(address) {
      const offset = offsetOf(address)
      if (offset === undefined)
        return `provided IP is not in the valid range. The range of valid IPs is ${formatCidr(cidr)}`
      return pool.take(offset) ? undefined : 'provided IP is already allocated'
    },
    takeAny() {
      const offset = pool.takeAny()
      return offset === undefined ? undefined : addressAt(cidr, offset + 1)
    },
    release(address) {
      const offset = offsetOf(address)
      if (offset !== undefined) pool.release(offset)
    },
  }
}
