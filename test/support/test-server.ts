/** An API server in memory for tests: real filters' places taken by one that names the user, a clock that stands still. */

import { type Catalog, createCatalog } from '../../src/apis/catalog.ts'
import type { ResourceDefinition } from '../../src/apis/definition.ts'
import { createFakeClock, type FakeClock } from '../../src/base/fake-clock.ts'
import { type Cidr, parseCidr } from '../../src/base/ip.ts'
import { silentLogger } from '../../src/base/log.ts'
import { seededRandom } from '../../src/base/random.ts'
import { ApiError, toStatus } from '../../src/machinery/meta/api-error.ts'
import type { ApiRequest, ApiResponse, ResponseBody, UserInfo } from '../../src/machinery/wire/message.ts'
import { failureResponse } from '../../src/server/filters/failure-response.ts'
import type { Filter } from '../../src/server/filters/filter.ts'
import { withHeaders } from '../../src/server/filters/filter.ts'
import { createServer, type Server, type ServerDependencies } from '../../src/server/server.ts'
import { openMemoryStorage } from '../../src/storage/memory-storage.ts'
import type { Storage } from '../../src/storage/storage.ts'

export const ADMIN: UserInfo = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }

export interface TestServer extends AsyncDisposable {
  readonly server: Server
  readonly storage: Storage
  readonly catalog: Catalog
  readonly clock: FakeClock
  send(method: string, url: string, options?: SendOptions): Promise<Answer>
}

export interface SendOptions {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly wants?: ApiRequest['wants']
  readonly signal?: AbortSignal
  /** Whom the connection proves, for servers with filters of their own. */
  readonly peer?: UserInfo
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** The body as text; empty for streams. */
  readonly text: string
  /** The body as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly json: any
  readonly response: ApiResponse
}

/** Names the user, turns what is thrown into a Status, collects warnings. */
const testFilter: Filter = (next) => async (call) => {
  const warnings: string[] = []
  try {
    const request = { ...call.request, user: ADMIN, warn: (text: string) => void warnings.push(text) }
    const answer = await next({ ...call, request })
    return warnings.length > 0 ? withHeaders(answer, { warning: warnings.join('; ') }) : answer
  } catch (error) {
    if (!(error instanceof ApiError)) console.error(error)
    return failureResponse(toStatus(error), call.request)
  }
}

export function createTestServer(
  definitions: readonly ResourceDefinition[],
  overrides: Partial<ServerDependencies> = {},
): TestServer {
  const storage = openMemoryStorage()
  const catalog = createCatalog(definitions)
  const clock = createFakeClock()
  const server = createServer({
    storage,
    catalog,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    filters: [testFilter],
    tokenIssuer: {
      issue: async ({ audiences, expirationSeconds }) => ({
        token: 'signed',
        audiences,
        expiresAtMs: clock.now() + expirationSeconds * 1_000,
      }),
    },
    build: { nodeVersion: 'v26.0.0', platform: 'linux', arch: 'x64', commit: '0', buildDate: '2026-01-01T00:00:00Z' },
    serverAddress: '127.0.0.1:6443',
    serviceNetwork: { serviceCidr: serviceCidr(), nodePorts: { first: 30_000, last: 32_767 } },
    descriptions: () => ({ definitions: {} }),
    plugins: () => [],
    ...overrides,
  })
  return {
    server,
    storage,
    catalog,
    clock,
    send: (method, url, options = {}) => send(server, method, url, options),
    async [Symbol.asyncDispose]() {
      server[Symbol.dispose]()
      await storage[Symbol.asyncDispose]()
    },
  }
}

function serviceCidr(): Cidr {
  const cidr = parseCidr('10.96.0.0/16')
  if (!cidr) throw new Error('not a CIDR')
  return cidr
}

async function send(server: Server, method: string, url: string, options: SendOptions): Promise<Answer> {
  const [path = '', query = ''] = url.split('?')
  const { body, headers = {}, wants = 'bytes', signal = new AbortController().signal, peer } = options
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(JSON.stringify(body ?? null))
  const response = await server.handle({
    method,
    path,
    query: new URLSearchParams(query),
    headers: { 'user-agent': 'test/1.0', ...headers },
    body:
      body === undefined
        ? { type: 'none' }
        : wants === 'object'
          ? { type: 'object', object: body }
          : { type: 'bytes', bytes },
    signal,
    wants,
    peer,
  })
  const text = textOf(response)
  const json =
    response.body.type === 'object' ? response.body.object : text.startsWith('{') ? JSON.parse(text) : undefined
  return { status: response.status, headers: response.headers, text, json, response }
}

function textOf({ body }: ApiResponse): string {
  return Buffer.from(bytesOf(body) ?? []).toString()
}

/** A body that has bytes. */
export function bytesOf(body: ResponseBody): Uint8Array | undefined {
  // A piece is overwritten by the next.
  if (body.type === 'pieces') return Buffer.concat(Array.from(body.pieces, (piece) => Buffer.from(piece)))
  if (body.type !== 'bytes') return undefined
  return Buffer.concat(body.bytes instanceof Uint8Array ? [body.bytes] : body.bytes)
}
