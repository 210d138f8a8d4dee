/** The sockets of the API server: all show the same certificate and trust the same authorities, which may change. */

import { assert } from '../base/assert.ts'
import type { KeyPair } from '../server/auth/certificate-authority.ts'
import { type Listener, type ListenOptions, listen } from '../server/http.ts'

export interface Listeners extends AsyncDisposable {
  /** What new connections are shown from now on. Before the first socket opens. */
  show(pair: KeyPair): void
  /** Whose front proxies may say who asks. */
  trustFrontProxies(authority: string): void
  open(options: Omit<ListenOptions, 'tls'>): Promise<Listener>
}

/** How long requests may go on after a socket has closed, in ms. */
const DRAIN_MS = 2_000

/** `clientCa`: PEM, the authorities whose client certificates name users. */
export function createListeners(clientCa: string): Listeners {
  const listeners: Listener[] = []
  let shown: KeyPair | undefined
  let frontProxyCa: string | undefined
  const tls = () => {
    assert(shown, 'there is a certificate to show')
    return { ...shown, clientCa, frontProxyCa }
  }
  const renew = () => {
    for (const listener of listeners) listener.renew(tls())
  }
  return {
    show(pair) {
      shown = pair
      renew()
    },
    trustFrontProxies(authority) {
      frontProxyCa = authority
      renew()
    },
    async open(options) {
      const listener = await listen({ ...options, tls: tls() })
      listeners.push(listener)
      return listener
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(listeners.map((listener) => listener.close(DRAIN_MS)))
    },
  }
}
