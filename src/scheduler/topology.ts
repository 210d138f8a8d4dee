/** Numbers per topology domain: a domain is a label key with one of its values, such as `zone` = `eu-1a`. */

import type { NodeInfo } from './snapshot.ts'

export class DomainCounts {
  readonly #counts = new Map<string, Map<string, number>>()

  add(key: string, value: string, amount: number): void {
    const domains = this.#counts.get(key)
    if (domains) domains.set(value, (domains.get(value) ?? 0) + amount)
    else this.#counts.set(key, new Map([[value, amount]]))
  }

  get(key: string, value: string): number {
    return this.#counts.get(key)?.get(value) ?? 0
  }

  /** For the domain of this key that the node is in; 0 where it is in none. */
  at(key: string, node: NodeInfo): number {
    const value = domainOf(node, key)
    return value === undefined ? 0 : this.get(key, value)
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0
  }

  keys(): Iterable<string> {
    return this.#counts.keys()
  }

  domains(key: string): ReadonlyMap<string, number> {
    return this.#counts.get(key) ?? new Map()
  }
}

export function domainOf({ labels }: NodeInfo, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}
