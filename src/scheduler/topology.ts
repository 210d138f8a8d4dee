/** Numbers per topology domain: a domain is a label key with one of its values, such as `zone` = `eu-1a`. */

import type { NodeInfo } from './snapshot.ts'

export class DomainCounts {
  readonly #counts = new Map<string, Map<string, number>>()

  /** What comes to nothing is dropped. */
  add(key: string, value: string, amount: number): void {
    const domains = this.#counts.get(key) ?? new Map<string, number>()
    const sum = (domains.get(value) ?? 0) + amount
    if (sum === 0) domains.delete(value)
    else domains.set(value, sum)
    if (domains.size === 0) this.#counts.delete(key)
    else this.#counts.set(key, domains)
  }

  /** For the domain of this key that a node is in; 0 where it is in none. As the numbers are now. */
  of(key: string): (node: NodeInfo) => number {
    const domains = this.#counts.get(key)
    if (!domains) return () => 0
    return (node) => {
      const value = domainOf(node, key)
      return value === undefined ? 0 : (domains.get(value) ?? 0)
    }
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0
  }

  keys(): Iterable<string> {
    return this.#counts.keys()
  }
}

/** How many pods and nodes the domains of one key have; a domain without nodes is none. */
export class DomainSizes {
  readonly #sizes = new Map<string, { nodes: number; pods: number }>()

  get size(): number {
    return this.#sizes.size
  }

  add(domain: string, pods: number, sign: 1 | -1): void {
    const size = this.#sizes.get(domain)
    if (!size) this.#sizes.set(domain, { nodes: sign, pods: sign * pods })
    else {
      size.nodes += sign
      size.pods += sign * pods
      if (size.nodes === 0) this.#sizes.delete(domain)
    }
  }

  pods(domain: string): number {
    return this.#sizes.get(domain)?.pods ?? 0
  }

  /** Of the emptiest domain; infinite without any. */
  leastPods(): number {
    let least = Number.POSITIVE_INFINITY
    for (const { pods } of this.#sizes.values()) least = Math.min(least, pods)
    return least
  }
}

export function domainOf({ labels }: NodeInfo, key: string): string | undefined {
  const value: unknown = labels[key]
  // What every object inherits is no text.
  return typeof value === 'string' ? value : undefined
}
