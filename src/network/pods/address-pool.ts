/** The addresses of a node's pod CIDR. A freed one is given out again as late as possible. */

import { addressAt, type Cidr, cidrContains, cidrSize, formatCidr, parseIp } from '../../base/ip.ts'

export class AddressPool {
  readonly #cidr: Cidr
  readonly #taken = new Set<string>()
  #next = FIRST_POD_OFFSET

  constructor(cidr: Cidr) {
    this.#cidr = cidr
  }

  /** The node's own address in the block: where its pods send everything. */
  get gateway(): string {
    return addressAt(this.#cidr, 1)
  }

  contains(address: string): boolean {
    return cidrContains(this.#cidr, address)
  }

  /** Throws when every address is taken. */
  allocate(): string {
    const end = cidrSize(this.#cidr) - 1n
    for (let tried = FIRST_POD_OFFSET; tried < end; tried++) {
      if (this.#next >= end) this.#next = FIRST_POD_OFFSET
      const address = addressAt(this.#cidr, this.#next++)
      if (this.#taken.has(address)) continue
      this.#taken.add(address)
      return address
    }
    throw new Error(`no free address for a pod in ${formatCidr(this.#cidr)}`)
  }

  /** Marks an address that is in use already. */
  reserve(address: string): void {
    this.#taken.add(address)
    const value = parseIp(address)?.value
    if (value !== undefined && this.contains(address)) this.#next = value - this.#cidr.base + 1n
  }

  release(address: string): void {
    this.#taken.delete(address)
  }
}

/** After the network's own address and the gateway. */
const FIRST_POD_OFFSET = 2n
