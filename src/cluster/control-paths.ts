/**
 * What the command line asks of the running process, beside the API: nodes to add and remove, and why a pod waits.
 * Under /t8s; authorization lets administrators in and nobody else.
 *
 *   GET    /t8s/status
 *   PUT    /t8s/nodes/NAME?runtime=docker    DELETE /t8s/nodes/NAME    POST /t8s/nodes/NAME/stop
 *   GET    /t8s/why/pods/NAMESPACE/NAME
 */

import { badRequest, methodNotSupported, pageNotFound } from '../machinery/meta/api-error.ts'
import type { ObjectKey } from '../machinery/meta/object.ts'
import type { ApiRequest, ApiResponse } from '../machinery/wire/message.ts'
import type { PathHandler } from '../server/server.ts'
import type { ClusterConfig, NodeRuntime } from './config.ts'
import type { NodeSupervisor } from './nodes.ts'
import { T8S_VERSION } from './version.ts'

export interface ControlPathsParts {
  readonly config: ClusterConfig
  readonly supervisor: NodeSupervisor
  readonly scheduler: { explainPending(key: ObjectKey): unknown }
}

const ROOT = 't8s'

export function controlPaths(parts: ControlPathsParts): PathHandler {
  return {
    handle(request) {
      const [root, what, ...rest] = request.path.split('/').slice(1).map(decodeURIComponent)
      if (root !== ROOT) return undefined
      switch (what) {
        case 'status':
          return json(200, statusOf(parts))
        case 'nodes':
          return nodes(parts, request, rest)
        case 'why':
          return why(parts, rest)
        default:
          throw pageNotFound()
      }
    },
  }
}

function statusOf({ config, supervisor }: ControlPathsParts): object {
  const { name, podCidr, serviceCidr, domain, directory } = config
  return {
    version: T8S_VERSION,
    name,
    podCidr,
    serviceCidr,
    domain,
    directory,
    pid: process.pid,
    nodes: [...supervisor.running.keys()],
    memoryBytes: process.memoryUsage.rss(),
  }
}

async function nodes(
  { supervisor, config }: ControlPathsParts,
  { method, query }: ApiRequest,
  [name, verb]: readonly string[],
): Promise<ApiResponse> {
  if (!name) throw badRequest('the name of a node is missing')
  if (method === 'PUT') {
    const node = await supervisor.start(name, runtimeOf(query.get('runtime') ?? config.runtime))
    await node.ready
  } else if (method === 'POST' && verb === 'stop') await supervisor.stop(name)
  else if (method === 'DELETE') await supervisor.remove(name)
  else throw methodNotSupported({ group: ROOT, resource: 'nodes' }, method)
  return json(200, { name })
}

function runtimeOf(text: string): NodeRuntime {
  if (text === 'docker' || text === 'simulated') return text
  throw badRequest(`runtime ${JSON.stringify(text)} is neither docker nor simulated`)
}

function why({ scheduler }: ControlPathsParts, [resource, namespace, name]: readonly string[]): ApiResponse {
  if (resource !== 'pods' || !namespace || !name) throw pageNotFound()
  return json(200, scheduler.explainPending({ namespace, name }))
}

function json(status: number, value: unknown): ApiResponse {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: { type: 'bytes', bytes: Buffer.from(JSON.stringify(value)) },
  }
}
