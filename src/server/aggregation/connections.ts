/**
 * Connections to aggregated servers: where a Service is reached, whose certificate is believed, and the front proxy's
 * own certificate. What is only read goes over connections that are kept; everything else has one of its own.
 */

import { createHash } from 'node:crypto'
import { Agent } from 'node:https'
import type { RemoteVersion } from './remote-version.ts'

/** PEM. */
export interface ProxyCertificate {
  readonly certificate: string
  readonly key: string
}

export interface ConnectionParts {
  /** Where a Service is reached. Throws with upstream's text when it is not. */
  resolve(namespace: string, name: string, port: number): Promise<{ readonly host: string; readonly port: number }>
  /** With what this server shows that it is the front proxy. */
  frontProxy(): Promise<ProxyCertificate>
}

/** An aggregated server, reached. */
export interface Reached {
  readonly host: string
  readonly port: number
  /** `host:port`, as in URLs. */
  readonly authority: string
  /** For what may be asked again when a kept connection turns out to be gone. */
  readonly kept: Agent
  /** Its connections end with their request. */
  readonly single: Agent
}

export interface Connections extends Disposable {
  reach(remote: RemoteVersion): Promise<Reached>
}

/** Thrown when a Service has no place to go to; the message is upstream's. */
export class Unresolved extends Error {
  override readonly name = 'Unresolved'
}

/** Idle connections to one server. */
const IDLE_CONNECTIONS_MAX = 8
/** Less than the 90 s after which Go's servers close idle connections, so that they seldom are gone when used, in ms. */
const IDLE_MS = 30_000
/** Servers whose connections are kept. */
const AGENTS_MAX = 64

interface Agents {
  readonly kept: Agent
  readonly single: Agent
}

export function createConnections({ resolve, frontProxy }: ConnectionParts): Connections {
  const known = new Map<string, Agents>()
  return {
    async reach(remote) {
      const { namespace, name, port } = remote.service
      const place = await resolve(namespace, name, port).catch((error: unknown) => {
        throw new Unresolved(error instanceof Error ? error.message : String(error))
      })
      const own = await frontProxy()
      const key = createHash('sha256')
        .update(JSON.stringify([namespace, name, remote.ca, remote.insecure, own.certificate]))
        .digest('base64')
      const agents = known.get(key) ?? createAgents(remote, own)
      known.delete(key)
      known.set(key, agents)
      const [oldest] = known.keys()
      // What is under way there goes on; idle connections end by themselves.
      if (known.size > AGENTS_MAX && oldest !== undefined) known.delete(oldest)
      const { host } = place
      return { ...place, ...agents, authority: `${host.includes(':') ? `[${host}]` : host}:${place.port}` }
    },
    [Symbol.dispose]() {
      for (const { kept, single } of known.values()) {
        kept.destroy()
        single.destroy()
      }
      known.clear()
    },
  }
}

function createAgents({ service, ca, insecure }: RemoteVersion, own: ProxyCertificate): Agents {
  const options = {
    cert: own.certificate,
    key: own.key,
    // Asked for and checked, wherever the connection goes.
    servername: `${service.name}.${service.namespace}.svc`,
    rejectUnauthorized: !insecure,
    ...(ca !== undefined && { ca }),
  }
  return {
    kept: new Agent({ ...options, keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS_MAX, timeout: IDLE_MS }),
    single: new Agent({ ...options, keepAlive: false }),
  }
}
