/**
 * The connection to a Docker Engine, and the few words shared by every file that talks to one: labels, errors, streams.
 * `dockerode` is loaded only when an engine is opened: it costs 200 ms and 25 MB.
 */

import { availableParallelism } from 'node:os'
import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { assert } from '../../base/assert.ts'
import type { Architecture } from './sandbox-elf.ts'

/** Engine 20.10 and later speak it; newer engines keep it. */
const API_VERSION = 'v1.41'

const DEFAULT_SOCKET = '/var/run/docker.sock'

export interface DockerEngine {
  readonly docker: Docker
  readonly architecture: Architecture
  readonly version: string
  /** Capabilities that containers can have, without `CAP_`: what the machine's first process may hold. */
  readonly capabilities: readonly string[]
  readonly starts: Starts
}

/** Carries out a start when it is its turn. */
export type Starts = <T>(kind: 'sandbox' | 'container', start: () => Promise<T>) => Promise<T>

/** Starts at once for each processor: with more, each takes longer and all together no less. */
const STARTS_PER_CPU = 2
/** Starts that wait: of a machine's pods, of which there are a few hundred. */
const WAITING_MAX = 10_000

/** So many at once. What a pod waits for that has begun comes first: else thirty sandboxes run before one container. */
export function createStarts(atOnce: number): Starts {
  const waiting = { container: [] as (() => void)[], sandbox: [] as (() => void)[] }
  let running = 0
  return async (kind, start) => {
    assert(waiting[kind].length < WAITING_MAX, 'too many starts at once')
    if (running < atOnce) running++
    else await new Promise<void>((resolve) => waiting[kind].push(resolve))
    try {
      return await start()
    } finally {
      const next = waiting.container.shift() ?? waiting.sandbox.shift()
      if (next) next()
      else running--
    }
  }
}

/** Every object made for a cluster carries the labels that apply to it. */
export const labels = {
  cluster: 't8s.cluster',
  node: 't8s.node',
  /** `network`, `node`, `sandbox`, `container` or `spare`. */
  kind: 't8s.kind',
  /** A node's address on the cluster's network. */
  address: 't8s.address',
  podUid: 't8s.pod.uid',
  podNamespace: 't8s.pod.namespace',
  podName: 't8s.pod.name',
  attempt: 't8s.attempt',
  /** JSON: what containers need to know of their sandbox. */
  sharing: 't8s.sharing',
  /** The container of the node whose network a sandbox is connected to. */
  nodeContainer: 't8s.node.container',
  sandbox: 't8s.sandbox',
  container: 't8s.container',
  image: 't8s.image',
  /** JSON: the annotations of a container's config. */
  annotations: 't8s.annotations',
} as const

/** No engine answers, or one that is too old. The message is one line for the user. */
export class DockerUnavailable extends Error {
  override readonly name = 'DockerUnavailable'
}

export interface DockerEngineOptions {
  /** As in DOCKER_HOST: `unix:///path` or `tcp://host:port`. Default: the system's socket. */
  readonly host?: string | undefined
  /** Capabilities of the machine, without `CAP_`. */
  readonly capabilities: readonly string[]
}

export async function openDockerEngine({ host, capabilities }: DockerEngineOptions): Promise<DockerEngine> {
  const { default: Engine } = await import('dockerode')
  const docker = new Engine({ ...connection(host), version: API_VERSION })
  try {
    const version = await docker.version()
    const architecture = version.Arch
    if (architecture !== 'amd64' && architecture !== 'arm64') throw new Error(`architecture ${architecture} is unknown`)
    const starts = createStarts(STARTS_PER_CPU * availableParallelism())
    return { docker, architecture, version: version.Version, capabilities, starts }
  } catch (error) {
    throw new DockerUnavailable(`Docker does not answer at ${host ?? `unix://${DEFAULT_SOCKET}`} (${messageOf(error)})`)
  }
}

function connection(host: string | undefined): Docker.DockerOptions {
  if (host === undefined || host.startsWith('unix://'))
    return { host: undefined, protocol: 'http', socketPath: host?.slice('unix://'.length) || DEFAULT_SOCKET }
  const address = new URL(host)
  return { protocol: 'http', host: address.hostname, port: address.port === '' ? 2375 : Number(address.port) }
}

/** The engine's own words, without the client's decoration. */
export function messageOf(error: unknown): string {
  const json = field(error, 'json')
  const message = field(json, 'message')
  if (typeof message === 'string') return message
  const text = error instanceof Error ? error.message : String(error)
  return text.replace(/^\(HTTP code \d+\) [^-]*- /, '').trim()
}

export function isStatus(error: unknown, ...codes: readonly number[]): boolean {
  const code = field(error, 'statusCode')
  return typeof code === 'number' && codes.includes(code)
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/** Waits for a removal or stop; that the thing is gone, or already as wanted, is success. */
export async function ignoring(codes: readonly number[], work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!isStatus(error, ...codes)) throw error
  }
}

/** Removes a container with whatever runs in it. Does nothing when it is gone or going. */
export function removeContainer(docker: Docker, id: string): Promise<void> {
  return ignoring([404, 409], docker.getContainer(id).remove({ force: true, v: true }))
}

/** A response body as it comes, for calls whose whole answer would not fit into memory. */
export function openBody(
  docker: Docker,
  path: string,
  query: Readonly<Record<string, unknown>>,
  signal: AbortSignal | undefined,
): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const call = {
      path: `${path}?`,
      method: 'GET',
      options: query,
      isStream: true,
      ...(signal && { abortSignal: signal }),
      statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
    }
    docker.modem.dial(call, (error, body) => {
      if (body instanceof Readable) resolve(body)
      else reject(error ?? new Error(`no body from ${path}`))
    })
  })
}

export function labelFilter(...pairs: readonly (readonly [name: string, value: string])[]): { label: string[] } {
  return { label: pairs.map(([name, value]) => `${name}=${value}`) }
}
