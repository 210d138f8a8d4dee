/** Ports that services get on every node. */

import type { Random } from '../../../base/random.ts'
import { createPool, type StaticBandRule, staticBandOf } from './pool.ts'

export interface PortRange {
  readonly first: number
  readonly last: number
}

export interface NodePortAllocator {
  /** Undefined: it is taken. Otherwise why it cannot be, in upstream's words. */
  take(port: number): string | undefined
  /** Undefined when there is no free one. */
  takeAny(): number | undefined
  release(port: number): void
}

/** Upstream's, for ports. */
const STATIC_BAND: StaticBandRule = { step: 32, max: 128 }

export function createNodePortAllocator({ first, last }: PortRange, random: Random): NodePortAllocator {
  const size = last - first + 1
  const pool = createPool({ size, staticBand: staticBandOf(size, STATIC_BAND), random })
  const contains = (port: number): boolean => port >= first && port <= last
  return {
    take(port) {
      if (!contains(port))
        return `provided port is not in the valid range. The range of valid ports is ${first}-${last}`
      return pool.take(port - first) ? undefined : 'provided port is already allocated'
    },
    takeAny() {
      const offset = pool.takeAny()
      return offset === undefined ? undefined : first + offset
    },
    release(port) {
      if (contains(port)) pool.release(port - first)
    },
  }
}
