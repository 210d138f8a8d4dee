/**
 * A control plane with something to steal, and requests to it without sockets: as Node's parser would hand them on, to
 * the very function that the listener calls.
 */

import { createPublicKey } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configMaps } from '../../../../src/apis/core/config-map.ts'
import { namespaces } from '../../../../src/apis/core/namespace.ts'
import { secrets } from '../../../../src/apis/core/secret.ts'
import { serviceAccounts } from '../../../../src/apis/core/service-account.ts'
import { roleBindings } from '../../../../src/apis/rbac/role-binding.ts'
import { setOwn } from '../../../../src/base/deep-freeze.ts'
import { type Logger, silentLogger } from '../../../../src/base/log.ts'
import { SYSTEM } from '../../../../src/cluster/identities.ts'
import { toStatus } from '../../../../src/machinery/meta/api-error.ts'
import type { ApiResponse, RequestBody, UserInfo } from '../../../../src/machinery/wire/message.ts'
import { createTokenKeys, generateSigningKey } from '../../../../src/server/auth/json-web-token.ts'
import { failureResponse } from '../../../../src/server/filters/failure-response.ts'
import { apiRequestOf } from '../../../../src/server/http-request.ts'
import { type OpenedControlPlane, openControlPlane } from '../../../support/control-plane.ts'
import type { Header } from '../../../support/fuzz/headers.ts'
import type { TokenSeeds } from '../../../support/fuzz/tokens.ts'

/** In every object that no stranger may read. */
export const CANARY = 'canary-7c31d2'

/** Of a file of tokens. */
const LISTED_TOKEN = 'listed-token-51d2c09e'

/** A namespace whose administrator is `tenant`; the canaries are in `victim`. */
export const OWN = 'own'
export const TENANT: UserInfo = { name: 'tenant', groups: [] }

export interface FuzzCluster extends OpenedControlPlane {
  readonly seeds: TokenSeeds
  /** Failures that the server had to log: there must be none, whatever is sent. */
  readonly errors: readonly string[]
  /** Lines of the log of any other kind. */
  readonly lines: readonly string[]
  send(input: Input): Promise<Answered>
}

export interface Input {
  readonly method: string
  readonly path: string
  /** Without the question mark. */
  readonly query: string
  readonly headers: readonly Header[]
  readonly body?: RequestBody | undefined
  /** Whom the connection proves; absent: nobody. */
  readonly peer?: UserInfo | undefined
}

export interface Answered {
  readonly status: number
  readonly text: string
}

export async function openFuzzCluster(): Promise<FuzzCluster> {
  const errors: string[] = []
  const note = (message: string, fields: { readonly error?: unknown } = {}) =>
    void errors.push(`${message} ${fields.error instanceof Error ? fields.error.stack : JSON.stringify(fields)}`)
  const lines: string[] = []
  const line = (message: string) => void lines.push(message)
  const log: Logger = { ...silentLogger, info: line, warn: line, error: note, child: () => log }
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 't8s-fuzz-'))
  stack.defer(() => rm(folder, { recursive: true }))
  const tokens = join(folder, 'tokens.csv')
  await writeFile(tokens, `${LISTED_TOKEN},listed,1,"system:masters"\n`)
  const security = { audit: { enabled: true }, authentication: { tokens } }
  const opened = stack.use(await openControlPlane({ log, config: { name: 'fuzz', http2: true, security } }))
  await fill(opened)
  const seeds = await tokensOf(opened)
  const { handle } = opened.controlPlane.server
  const send = async (input: Input): Promise<Answered> => {
    const signal = new AbortController()
    try {
      const asked = apiRequestOf(incoming(input), input.body ?? { type: 'none' }, signal.signal, { user: input.peer })
      return await answered(await handle(asked))
    } catch (error) {
      // As the listener answers what the handlers throw.
      return answered(failureResponse(toStatus(error)))
    } finally {
      signal.abort()
    }
  }
  const owned = stack.move()
  return { ...opened, seeds, errors, lines, send, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function fill({ controlPlane }: OpenedControlPlane): Promise<void> {
  const client = controlPlane.clientAs(SYSTEM)
  for (const name of ['victim', OWN]) await client.of(namespaces).create({ metadata: { name }, spec: {} })
  const metadata = { name: 'canary', namespace: 'victim', labels: { a: 'b' } }
  for (const namespace of ['victim', 'default', 'kube-system']) {
    await client.of(secrets).create({ metadata: { ...metadata, namespace }, stringData: { password: CANARY } })
    await client.of(configMaps).create({ metadata: { ...metadata, namespace }, data: { [CANARY]: CANARY } })
  }
  await client.of(secrets).create({
    metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    stringData: { 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true' },
  })
  await client.of(serviceAccounts).create({ metadata: { name: 'web', namespace: 'default' } })
  await client.of(roleBindings).create({
    metadata: { name: 'tenant', namespace: OWN },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: TENANT.name }],
  })
  await client.of(configMaps).create({ metadata: { name: 'mine', namespace: OWN }, data: { a: 'b' } })
}

async function tokensOf({ controlPlane, config }: OpenedControlPlane): Promise<TokenSeeds> {
  const client = controlPlane.clientAs(SYSTEM)
  const key = { namespace: 'default', name: 'web' }
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
  const answer = await client
    .of(serviceAccounts)
    .call<{ readonly status: { readonly token: string } }>('POST', key, 'token', request)
  const valid = answer.status.token
  const claims = JSON.parse(Buffer.from(valid.split('.')[1] ?? '', 'base64url').toString()) as { readonly exp: number }
  const past = { iat: 1_000_000_000, nbf: 1_000_000_000, exp: 1_000_003_600 }
  return {
    valid,
    publicKey: createPublicKey(await readFile(join(config.directory, 'pki', 'service-account.key'), 'utf8'))
      .export({ type: 'spki', format: 'pem' })
      .toString(),
    foreign: await createTokenKeys([generateSigningKey()]).sign({ ...claims }),
    shared: ['abcdef.0123456789abcdef', LISTED_TOKEN],
    expired: await controlPlane.tokenKeys.sign({ ...claims, ...past }),
  }
}

/** Of a header that is there twice Node keeps the first, where two would make no sense. */
const SINGLE: ReadonlySet<string> = new Set([
  'authorization',
  'content-type',
  'host',
  'user-agent',
  'proxy-authorization',
])

/** The four fields of Node's class that are read, as its parser sets them. */
function incoming({ method, path, query, headers }: Input): IncomingMessage {
  const joined: Record<string, string> = Object.create(null)
  for (const [written, value] of headers) {
    const name = written.toLowerCase()
    const before = joined[name]
    if (before === undefined) setOwn(joined, name, value)
    else if (!SINGLE.has(name)) setOwn(joined, name, `${before}, ${value}`)
  }
  const url = query === '' ? path : `${path}?${query}`
  const socket = { remoteAddress: '203.0.113.7' }
  return { method, url, headers: joined, rawHeaders: headers.flat(), socket } as unknown as IncomingMessage
}

async function answered({ status, body }: ApiResponse): Promise<Answered> {
  if (body.type === 'bytes') {
    const parts = body.bytes instanceof Uint8Array ? [body.bytes] : body.bytes
    return { status, text: Buffer.concat(parts).toString('latin1') }
  }
  if (body.type !== 'stream') return { status, text: body.type === 'none' ? '' : `(${body.type})` }
  const chunks = body.chunks[Symbol.asyncIterator]()
  const first = chunks.next().catch(() => undefined)
  await chunks.return?.()
  const { value } = (await first) ?? {}
  return { status, text: `(stream) ${value ? Buffer.from(value).toString('latin1') : ''}` }
}

/** Paths that answer without a credential, and what is below them. */
const OPEN = ['/healthz', '/livez', '/readyz', '/version']

const REFUSALS = [403, 404, 405, 406, 415]

export function isOpen(path: string): boolean {
  return OPEN.some((root) => path === root || path.startsWith(`${root}/`))
}

/** Why an answer to somebody without a credential is a break-in; undefined: it is none. */
export function strangerGot({ path }: Input, { status, text }: Answered): string | undefined {
  if (text.includes(CANARY) || text.includes(Buffer.from(CANARY).toString('base64'))) return 'a secret'
  if (status === 401 || status === 400) return isStatus(text, status) ? undefined : 'a refusal that is no Status'
  if (!isOpen(path)) return `an answer ${status}`
  // Open are health and version, never more: what lies below and is unknown is refused.
  if (status === 200) return text.length < 5_000 ? undefined : 'a long answer'
  return REFUSALS.includes(status) ? undefined : `an answer ${status}`
}

function isStatus(text: string, code: number): boolean {
  if (text.startsWith('k8s\0')) return text.includes('Status')
  try {
    const { kind, code: said } = JSON.parse(text) as { readonly kind?: unknown; readonly code?: unknown }
    return kind === 'Status' && said === code
  } catch {
    return false
  }
}
