/** A whole API server on a socket, as clusters have it: memory storage, certificates in a temporary folder, any clock. */

import { X509Certificate } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { type Agent, request as requestHttps } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { type Logger, silentLogger } from '../../src/base/log.ts'
import { seededRandom } from '../../src/base/random.ts'
import { bootstrap } from '../../src/cluster/bootstrap.ts'
import { type ClusterConfig, type ConfigInput, resolveConfig } from '../../src/cluster/config.ts'
import { type ControlPlane, type ControlPlaneParts, startControlPlane } from '../../src/cluster/control-plane.ts'
import type { Environment } from '../../src/cluster/environment.ts'
import type { MachineFacts } from '../../src/node/registration.ts'
import type { KeyPair } from '../../src/server/auth/certificate-authority.ts'

export interface OpenedControlPlane extends AsyncDisposable {
  readonly controlPlane: ControlPlane
  readonly config: ClusterConfig
  readonly environment: Environment
  /** Over TLS that is verified at the time of the cluster's clock, as whoever the certificate names; nobody without one. */
  ask(method: string, path: string, options?: AskOptions): Promise<PlainAnswer>
  /** A client certificate of the cluster's authority. */
  user(name: string, ...groups: readonly string[]): Promise<KeyPair>
}

export interface AskOptions {
  readonly as?: KeyPair | undefined
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Keeps connections. Absent: each request has its own. */
  readonly agent?: Agent | undefined
}

export interface PlainAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** It came over a connection that an earlier request had opened. */
  readonly isReused: boolean
  /** The body as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly json: any
}

export interface ControlPlaneOptions {
  readonly clock?: Clock | undefined
  readonly log?: Logger | undefined
  /** The folder that holds the cluster's; the caller's to remove. Absent: a temporary one. */
  readonly home?: string | undefined
  readonly config?: Omit<ConfigInput, 'home'> | undefined
  /** Where a node's API listens. */
  readonly dialNode?: ControlPlaneParts['dialNode'] | undefined
}

export async function openControlPlane(options: ControlPlaneOptions = {}): Promise<OpenedControlPlane> {
  await using stack = new AsyncDisposableStack()
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 't8s-control-plane-')))
  if (options.home === undefined) stack.defer(() => rm(home, { recursive: true, force: true }))
  const config = resolveConfig({ name: 'authz', storage: 'memory', port: 0, ...options.config, home })
  await mkdir(config.directory, { recursive: true })
  const environment = testEnvironment(options)
  const { dialNode = () => undefined } = options
  const controlPlane = stack.use(await startControlPlane({ config, environment, dialNode, checks: [], paths: [] }))
  await bootstrap(controlPlane.clientAs({ name: 'system:apiserver', groups: ['system:masters'] }), config)
  const { authority } = controlPlane
  const owned = stack.move()
  return {
    controlPlane,
    config,
    environment,
    ask: (method, path, asked) =>
      ask({ method, path, port: controlPlane.port, ca: authority.bundle, clock: environment.clock }, asked),
    user: (commonName, ...organizations) => authority.issueClient({ commonName, organizations }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function testEnvironment({ clock = systemClock, log = silentLogger }: ControlPlaneOptions): Environment {
  const machine: MachineFacts = {
    ...({ architecture: 'amd64', operatingSystem: 'linux' } as const),
    ...{ osImage: 'test', kernelVersion: '6.0', machineId: 'm', bootId: 'b' },
    ...{ cpus: 4, memoryBytes: 2 ** 33, diskBytes: 2 ** 36 },
  }
  return { clock, log, random: seededRandom(1), machine, address: undefined, hosts: '', resolvConf: '' }
}

interface Question {
  readonly method: string
  readonly path: string
  readonly port: number
  readonly ca: string
  readonly clock: Clock
}

function ask(question: Question, { as, body, headers = {}, agent }: AskOptions = {}): Promise<PlainAnswer> {
  const { method, path, port } = question
  const text = body === undefined ? undefined : JSON.stringify(body)
  const identity = as && { cert: as.certificate, key: as.key }
  const options = {
    method,
    path,
    port,
    host: '127.0.0.1',
    agent: agent ?? false,
    rejectUnauthorized: false,
    ...identity,
  }
  return new Promise((resolve, reject) => {
    const sent = requestHttps(
      { ...options, headers: { 'content-type': 'application/json', ...headers } },
      (response) => {
        const shown = (response.socket as TLSSocket).getPeerX509Certificate()
        // As in a handshake: what is shown is looked at once for a connection.
        const finding = sent.reusedSocket ? undefined : servingFinding(shown, question)
        if (finding !== undefined) return void sent.destroy(new Error(finding))
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString('utf8')
          const json = answer.startsWith('{') ? JSON.parse(answer) : undefined
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: answer,
            json,
            isReused: sent.reusedSocket,
          })
        })
      },
    )
    sent.on('error', reject)
    sent.end(text)
  })
}

/** What the TLS library would find, at the time that the cluster's clock tells. */
export function servingFinding(
  certificate: X509Certificate | undefined,
  { ca, clock }: Pick<Question, 'ca' | 'clock'>,
): string | undefined {
  if (!certificate) return 'the server shows no certificate'
  const authorities = ca.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []
  if (!authorities.some((pem) => certificate.verify(new X509Certificate(pem).publicKey)))
    return 'the certificate is of another authority'
  const nowMs = clock.now()
  const isOver = nowMs < Date.parse(certificate.validFrom) || nowMs > Date.parse(certificate.validTo)
  if (isOver) return `the certificate is good until ${certificate.validTo}`
  return certificate.checkIP('127.0.0.1') ? undefined : 'the certificate is for another name'
}
