/**
 * What the command line asks of the running process, beside the API: nodes to add and remove, keys to rotate, and why a
 * pod waits. Under /t8s; authorization lets administrators in and nobody else.
 *
 *   GET    /t8s/status
 *   PUT    /t8s/nodes/NAME?runtime=docker    DELETE /t8s/nodes/NAME    POST /t8s/nodes/NAME/stop
 *   POST   /t8s/encryption-key               a new key for what is encrypted at rest
 *   GET    /t8s/why/pods/NAMESPACE/NAME      as JSON, or as text for `Accept: text/plain`
 */

import type { Pod } from '../apis/core/types.gen.ts'
import type { Clock } from '../base/clock.ts'
import { type Explanation, explainPending, explanationLines, type PendingFindings } from '../insight/why-pending.ts'
import { badRequest, methodNotAllowed, notFound, pageNotFound } from '../machinery/meta/api-error.ts'
import { isDns1123Subdomain } from '../machinery/meta/names.ts'
import type { ObjectKey } from '../machinery/meta/object.ts'
import type { ApiRequest, ApiResponse } from '../machinery/wire/message.ts'
import type { PathHandler } from '../server/server.ts'
import type { ClusterConfig, NodeRuntime } from './config.ts'
import type { NodeList } from './node-list.ts'
import type { NodeSupervisor } from './nodes.ts'
import type { KeyRotation } from './security/key-rotation.ts'
import { KUBERNETES_VERSION, T8S_VERSION } from './version.ts'

export interface ControlPathsParts {
  readonly config: ClusterConfig
  readonly clock: Clock
  readonly supervisor: NodeSupervisor
  readonly nodeList: NodeList
  /** Undefined: there is no such pod, or it has a node. */
  readonly scheduler: { explainPending(key: ObjectKey): PendingFindings | undefined }
  readonly podOf: (key: ObjectKey) => Pod | undefined
  readonly rotateKey: () => Promise<KeyRotation>
}

/** The answer of `/t8s/status`. */
export interface ClusterReport {
  readonly version: string
  readonly kubernetesVersion: string
  readonly name: string
  readonly podCidr: string
  readonly serviceCidr: string
  readonly domain: string
  readonly directory: string
  readonly pid: number
  /** `running`: its agent lives in the process that answers. */
  readonly nodes: readonly { readonly name: string; readonly runtime: NodeRuntime; readonly running: boolean }[]
  readonly memoryBytes: number
  readonly uptimeSeconds: number
}

const ROOT = 't8s'

export function controlPaths(parts: ControlPathsParts): PathHandler {
  const startedMs = parts.clock.monotonic()
  return {
    handle(request) {
      const [root, what, ...rest] = segments(request.path)
      if (root !== ROOT) return undefined
      switch (what) {
        case 'status':
          return json(statusOf(parts, parts.clock.monotonic() - startedMs))
        case 'nodes':
          return nodes(parts, request, rest)
        case 'encryption-key':
          return encryptionKey(parts, request)
        case 'why':
          return why(parts, request, rest)
        default:
          throw pageNotFound()
      }
    },
  }
}

function segments(path: string): readonly string[] {
  const [, root = '', ...rest] = path.split('/')
  // Paths of others are not ours to decode: they may hold anything.
  if (root !== ROOT) return [root]
  try {
    return [root, ...rest.map(decodeURIComponent)]
  } catch {
    throw badRequest('the path is not well-formed')
  }
}

function statusOf({ config, supervisor, nodeList }: ControlPathsParts, uptimeMs: number): ClusterReport {
  const { name, podCidr, serviceCidr, domain, directory } = config
  return {
    version: T8S_VERSION,
    kubernetesVersion: KUBERNETES_VERSION,
    name,
    podCidr,
    serviceCidr,
    domain,
    directory,
    pid: process.pid,
    nodes: nodeList.entries.map((entry) => ({ ...entry, running: supervisor.running.has(entry.name) })),
    memoryBytes: process.memoryUsage.rss(),
    uptimeSeconds: uptimeMs / 1_000,
  }
}

async function nodes(
  parts: ControlPathsParts,
  { method, query }: ApiRequest,
  [name, verb]: readonly string[],
): Promise<ApiResponse> {
  const { supervisor, nodeList } = parts
  if (!name) throw badRequest('the name of a node is missing')
  const [problem] = isDns1123Subdomain(name)
  if (problem !== undefined) throw badRequest(`the name ${JSON.stringify(name)} cannot be a node's: ${problem}`)
  const known = nodeList.entries.find((entry) => entry.name === name)
  if (method === 'PUT') {
    const runtime = known?.runtime ?? runtimeOf(query.get('runtime') ?? parts.config.runtime)
    const node = await supervisor.start(name, runtime)
    await nodeList.add({ name, runtime })
    await node.ready
    return json({ name, created: known === undefined })
  }
  if (!known) throw notFound({ group: '', resource: 'nodes' }, name)
  if (method === 'POST' && verb === 'stop') await supervisor.stop(name)
  else if (method === 'DELETE') {
    await supervisor.remove(name)
    await nodeList.remove(name)
  } else throw methodNotAllowed()
  return json({ name })
}

async function encryptionKey({ rotateKey }: ControlPathsParts, { method }: ApiRequest): Promise<ApiResponse> {
  if (method !== 'POST') throw methodNotAllowed()
  return json(await rotateKey())
}

function runtimeOf(text: string): NodeRuntime {
  if (text === 'docker' || text === 'simulated') return text
  throw badRequest(`runtime ${JSON.stringify(text)} is neither docker nor simulated`)
}

function why(
  { scheduler, podOf }: ControlPathsParts,
  { headers }: ApiRequest,
  [resource, namespace, name]: readonly string[],
): ApiResponse {
  if (resource !== 'pods' || !namespace || !name) throw pageNotFound()
  const key = { namespace, name }
  const found = scheduler.explainPending(key)
  const pod = podOf(key)
  if (!found && !pod) throw notFound({ group: '', resource: 'pods' }, name)
  const explanation = found ? explainPending(found) : placed(key, pod)
  if (!headers.accept?.startsWith('text/plain'))
    return json({ apiVersion: 't8s.dev/v1alpha1', kind: 'Explanation', ...explanation })
  return answer('text/plain; charset=utf-8', `${explanationLines(explanation).join('\n')}\n`)
}

/** Nothing keeps this pod from a node: it has one, or it has none to wait for. */
function placed({ namespace, name }: ObjectKey, pod: Pod | undefined): Explanation {
  const place = pod?.spec?.nodeName ? ` on ${pod.spec.nodeName}` : ''
  const summary = `Pod ${namespace}/${name} is ${pod?.status?.phase ?? 'Pending'}${place}: it waits for no node.`
  return { summary, nodes: [], remedies: [] }
}

function json(value: object): ApiResponse {
  return answer('application/json', JSON.stringify(value))
}

function answer(type: string, text: string): ApiResponse {
  return { status: 200, headers: { 'content-type': type }, body: { type: 'bytes', bytes: Buffer.from(text) } }
}
