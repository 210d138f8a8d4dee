/**
 * Subresources that lead out of the API server: exec, attach, port-forward and logs go to the pod's kubelet, proxy
 * to the pod, service or node itself. Which of them is meant is decided here; `backend.ts` moves the bytes.
 */

import { parseIp } from '../base/ip.ts'
import type { Logger } from '../base/log.ts'
import { type Random, randomInteger } from '../base/random.ts'
import { badRequest, pageNotFound, serviceUnavailable } from '../machinery/meta/api-error.ts'
import type { ObjectKey } from '../machinery/meta/object.ts'
import type { ApiRequest, ApiResponse } from '../machinery/wire/message.ts'
import { isWebSocketUpgrade } from '../machinery/wire/websocket.ts'
import { type Backend, relay, tunnel } from './backend.ts'
import { commandPath, logPath, nodeOf, portForwardPath, type StreamedPod } from './container-choice.ts'
import { proxyRequest } from './http-proxy.ts'
import { overWebSocket } from './websocket-log.ts'

/** A ready endpoint of one port of a service. */
export interface ServiceEndpoint {
  readonly address: string
  readonly port: number
}

export interface ConnectParts {
  /** Throws `ApiError` 404. */
  pod(key: ObjectKey): Promise<StreamedPod>
  /**
   * Ready endpoints of the port with this name or number; of the only port for ''. Undefined: the service has no such
   * port. Throws `ApiError` 404.
   */
  serviceEndpoints(key: ObjectKey, port: string): Promise<readonly ServiceEndpoint[] | undefined>
  /** Where the kubelet of a node listens, with the server's own client certificate. Throws `ApiError` 404. */
  dialNode(nodeName: string): Promise<Backend>
  readonly random: Random
  readonly log: Logger
}

export interface ConnectTarget {
  readonly resource: string
  readonly namespace: string
  /** As in the path: for proxies it may carry a scheme and a port. */
  readonly name: string
  readonly subresource: string
  /** What follows the subresource, undecoded, with its leading slash. */
  readonly rest: string
}

export type Connect = (target: ConnectTarget, request: ApiRequest) => Promise<ApiResponse>

/** Whether a request's body must be left unread, because it is passed on: `leavesBody` of the listener. */
export function isProxyPath(url: string): boolean {
  return /^\/api\/v1\/(?:namespaces\/[^/]+\/)?(?:pods|services|nodes)\/[^/]+\/proxy(?:[/?]|$)/.test(url)
}

export function createConnect(parts: ConnectParts): Connect {
  const kubeletOf = async (pod: StreamedPod) => parts.dialNode(nodeOf(pod))
  return async (target, request) => {
    const { resource, subresource, namespace, name } = target
    if (subresource === 'proxy') return proxy(parts, target, request)
    if (resource !== 'pods') throw pageNotFound()
    const pod = await parts.pod({ namespace, name })
    switch (subresource) {
      case 'exec':
      case 'attach': {
        const path = commandPath(subresource, pod, request.query)
        return tunnel(await kubeletOf(pod), path, request)
      }
      case 'portforward':
        return tunnel(await kubeletOf(pod), portForwardPath(pod, request.query), request)
      case 'log': {
        const path = logPath(pod, request.query)
        const answer = pod.spec.nodeName ? await relay(await kubeletOf(pod), path, request) : NO_LOG
        return isWebSocketUpgrade(request) ? overWebSocket(answer) : answer
      }
      default:
        throw pageNotFound()
    }
  }
}

/** A pod that is on no node yet has said nothing. */
const NO_LOG: ApiResponse = { status: 204, headers: {}, body: { type: 'none' } }

async function proxy(parts: ConnectParts, target: ConnectTarget, request: ApiRequest): Promise<ApiResponse> {
  const { resource, namespace, name, rest } = target
  const backend = await proxyBackend(parts, target)
  const query = request.query.toString()
  const place = namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return proxyRequest(
    {
      backend,
      path: `${rest === '' ? '/' : rest}${query === '' ? '' : `?${query}`}`,
      prefix: `/api/v1${place}/${resource}/${name}/proxy`,
    },
    request,
    parts.log,
  )
}

async function proxyBackend(parts: ConnectParts, { resource, namespace, name }: ConnectTarget): Promise<Backend> {
  const place = parseProxyName(name)
  if (!place) throw badRequest(`invalid ${resource.replace(/s$/, '')} request ${JSON.stringify(name)}`)
  const tls = place.scheme === 'https' ? { tls: {} } : {}
  switch (resource) {
    case 'nodes':
      return parts.dialNode(place.name)
    case 'pods': {
      const pod = await parts.pod({ namespace, name: place.name })
      const port = place.port === '' ? pod.spec.containers[0]?.ports?.[0]?.containerPort : Number(place.port)
      return { host: reachable(pod.status?.podIP), port: checkedPort(port ?? (tls.tls ? 443 : 80)), ...tls }
    }
    case 'services': {
      const endpoints = await parts.serviceEndpoints({ namespace, name: place.name }, place.port)
      if (!endpoints)
        throw serviceUnavailable(
          `no service port ${JSON.stringify(place.port)} found for service ${JSON.stringify(place.name)}`,
        )
      const endpoint = endpoints[randomInteger(parts.random, endpoints.length)]
      if (!endpoint) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(place.name)}`)
      return { host: reachable(endpoint.address), port: endpoint.port, ...tls }
    }
    default:
      throw pageNotFound()
  }
}

/** `name`, `name:port` or `scheme:name:port`, where scheme is http or https and the last may lack its port. */
export function parseProxyName(text: string) {
  const parts = text.split(':')
  const [first = '', second = '', third = ''] = parts
  if (parts.length === 1 && first !== '') return { scheme: 'http', name: first, port: '' }
  if (parts.length === 2 && first !== '') return { scheme: 'http', name: first, port: second }
  const known = first === 'http' || first === 'https' || first === ''
  if (parts.length !== 3 || !known || second === '') return undefined
  return { scheme: first === '' ? 'http' : first, name: second, port: third }
}

function checkedPort(port: number): number {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw badRequest('the port is no port')
  return port
}

/** The server's own machine and link are not reached through pods that claim their addresses. */
function reachable(address: string | undefined): string {
  const parsed = parseIp(address ?? '')
  if (address === undefined || !parsed || !isProxyable(parsed)) throw badRequest('address not allowed')
  return address
}

function isProxyable({ family, value }: { readonly family: 4 | 6; readonly value: bigint }): boolean {
  if (family === 6) {
    const mapped = value >> 32n === 0xffffn
    if (mapped) return isProxyable({ family: 4, value: value & 0xffffffffn })
    return value > 1n && value >> 118n !== 0x3fan && value >> 120n !== 0xffn
  }
  const first = value >> 24n
  return value !== 0n && first !== 127n && value >> 16n !== 0xa9fen && first < 224n
}
