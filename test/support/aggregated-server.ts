/**
 * An aggregated API server on the loopback interface: real HTTPS, a certificate of an authority of its own, one
 * resource in memory. It keeps everything that it was asked, and answers otherwise where a test says so.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { systemClock } from '../../src/base/clock.ts'
import { seededRandom } from '../../src/base/random.ts'
import { createCertificateAuthority } from '../../src/server/auth/certificate-authority.ts'

export interface Received {
  readonly method: string
  readonly url: string
  /** Each as often as it came, names in lower case. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
  /** Of the certificate that came with the connection. */
  readonly commonName: string | undefined
  readonly connection: Duplex
}

export type Answering = (request: IncomingMessage, response: ServerResponse) => void

export interface AggregatedServer extends AsyncDisposable {
  readonly port: number
  /** As an APIService has it. */
  readonly caBundle: string
  readonly received: Received[]
  /** In place of the resource; it reads the body itself. Asked first; false: not for this request. */
  answering: (request: IncomingMessage, response: ServerResponse) => boolean
  upgrading: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Closes everything and listens no more. */
  stop(): Promise<void>
}

export interface AggregatedServerOptions {
  readonly group: string
  readonly version?: string
  /** Host names of its certificate. */
  readonly names: readonly string[]
  /** It knows no aggregated discovery, as servers before 1.26. */
  readonly old?: boolean
}

const RESOURCE = 'gadgets'
const KIND = 'Gadget'

export async function startAggregatedServer(options: AggregatedServerOptions): Promise<AggregatedServer> {
  const parts = { clock: systemClock, random: seededRandom(1) }
  const authority = await createCertificateAuthority('aggregated-authority', parts)
  const [commonName = ''] = options.names
  const { certificate, key } = await authority.issueServer({ commonName, names: options.names })
  const store = createStore(options)
  const server = createServer({ cert: certificate, key, requestCert: true, rejectUnauthorized: false })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (own.answering(request, response)) return void own.received.push(receivedOf(request, ''))
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      own.received.push(receivedOf(request, body))
      store.answer(request, response, body)
    })
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    own.received.push(receivedOf(request, ''))
    socket.on('error', () => {})
    own.upgrading(request, socket, head)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      if (!server.listening) return resolve()
      server.close(() => resolve())
      server.closeAllConnections()
      store.close()
    })
  const own: AggregatedServer = {
    port: (server.address() as AddressInfo).port,
    caBundle: Buffer.from(authority.certificate).toString('base64'),
    received: [],
    answering: () => false,
    upgrading: (_, socket) => socket.destroy(),
    stop,
    [Symbol.asyncDispose]: stop,
  }
  return own
}

function receivedOf(request: IncomingMessage, body: string): Received {
  const { method = '', url = '', rawHeaders } = request
  const headers: [string, string][] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2)
    headers.push([(rawHeaders[index] ?? '').toLowerCase(), rawHeaders[index + 1] ?? ''])
  const peer = (request.socket as TLSSocket).getPeerCertificate()
  const commonName = peer.subject?.CN
  return {
    ...{ method, url, headers, body, connection: request.socket },
    commonName: Array.isArray(commonName) ? commonName[0] : commonName,
  }
}

interface Stored {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly [field: string]: unknown }
}

interface Store {
  answer(request: IncomingMessage, response: ServerResponse, body: string): void
  close(): void
}

/** Objects by namespace and name, and everybody who watches them. */
function createStore({ group, version = 'v1', old = false }: AggregatedServerOptions): Store {
  const objects = new Map<string, Stored>()
  const watchers = new Set<ServerResponse>()
  const apiVersion = `${group}/${version}`
  let revision = 0
  const tell = (type: string, object: Stored): void => {
    for (const watcher of watchers) watcher.write(`${JSON.stringify({ type, object })}\n`)
  }
  const put = (namespace: string, sent: Stored): Stored => {
    const { name } = sent.metadata
    const metadata = { uid: `uid-${name}`, ...sent.metadata, namespace, resourceVersion: String(++revision) }
    const object = { apiVersion, kind: KIND, ...sent, metadata }
    objects.set(`${namespace}/${name}`, object)
    tell('ADDED', object)
    return object
  }
  const remove = (key: string): Stored | undefined => {
    const found = objects.get(key)
    if (objects.delete(key) && found) tell('DELETED', found)
    return found
  }
  const documents = documentsOf(group, version, old)
  const objectAnswer = (method: string, namespace: string, name: string, body: string): object | undefined => {
    if (method === 'POST') return put(namespace, JSON.parse(body) as Stored)
    const inside = [...objects.values()].filter(({ metadata }) => namespace === '' || metadata.namespace === namespace)
    if (method === 'DELETE' && name !== '') return remove(`${namespace}/${name}`)
    if (method === 'DELETE') for (const { metadata } of inside) remove(`${metadata.namespace}/${metadata.name}`)
    if (name !== '') return objects.get(`${namespace}/${name}`)
    // As upstream's servers do it.
    const items = inside.length > 0 ? inside : null
    return { kind: `${KIND}List`, apiVersion, metadata: { resourceVersion: String(revision) }, items }
  }
  return {
    answer(request, response, body) {
      const { pathname, searchParams } = new URL(request.url ?? '', 'https://server')
      const aggregated = pathname === '/apis' && request.headers.accept?.includes('apidiscovery') === true
      const document = documents.get(aggregated ? '/apis aggregated' : pathname)
      if (document) return send(response, 200, document, aggregated ? AGGREGATED : 'application/json')
      const [, namespace = '', name = ''] = placeOf(pathname, `/apis/${apiVersion}`) ?? []
      if (searchParams.get('watch') === 'true') {
        response.writeHead(200, { 'content-type': 'application/json' })
        response.flushHeaders()
        watchers.add(response)
        response.on('close', () => watchers.delete(response))
        return
      }
      const known = placeOf(pathname, `/apis/${apiVersion}`) !== null
      const answer = known ? objectAnswer(request.method ?? '', namespace, name, body) : undefined
      if (answer) return send(response, request.method === 'POST' ? 201 : 200, answer)
      send(response, 404, { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 })
    },
    close() {
      for (const watcher of watchers) watcher.destroy()
    },
  }
}

function placeOf(pathname: string, root: string): RegExpExecArray | null {
  const pattern = new RegExp(`^${root.replaceAll('.', '\\.')}(?:/namespaces/([^/]+))?/${RESOURCE}(?:/([^/]+))?$`)
  return pattern.exec(pathname)
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'watch']

function documentsOf(group: string, version: string, old: boolean): ReadonlyMap<string, object> {
  const groupVersion = `${group}/${version}`
  const resource = { resource: RESOURCE, responseKind: { group: '', version: '', kind: KIND }, scope: 'Namespaced' }
  const listed = { name: RESOURCE, singularName: 'gadget', namespaced: true, kind: KIND, verbs: VERBS }
  const schema = `com.example.${KIND}`
  const path = `/apis/${groupVersion}/namespaces/{namespace}/${RESOURCE}`
  const operation = {
    operationId: 'listGadgets',
    responses: { 200: { description: 'OK', schema: { $ref: `#/definitions/${schema}` } } },
  }
  const kinds = [{ group, version, kind: KIND }]
  const meta = { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }
  return new Map<string, object>([
    [`/apis/${groupVersion}`, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: [listed] }],
    ...(old
      ? []
      : ([
          [
            '/apis aggregated',
            {
              ...{ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {} },
              items: [
                {
                  metadata: { name: group },
                  versions: [
                    {
                      version,
                      freshness: 'Current',
                      resources: [{ ...resource, singularResource: 'gadget', verbs: VERBS }],
                    },
                  ],
                },
              ],
            },
          ],
          [
            '/openapi/v3',
            {
              paths: {
                [`apis/${group}`]: { serverRelativeURL: `/openapi/v3/apis/${group}?hash=1` },
                [`apis/${groupVersion}`]: { serverRelativeURL: `/openapi/v3/apis/${groupVersion}?hash=2` },
                version: { serverRelativeURL: '/openapi/v3/version?hash=3' },
                'apis/apps/v1': { serverRelativeURL: 'https://elsewhere.example/' },
              },
            },
          ],
          [`/openapi/v3/apis/${groupVersion}`, { openapi: '3.0.0', info: { title: 'gadgets' }, paths: {} }],
          [`/openapi/v3/apis/${group}`, { openapi: '3.0.0', info: { title: 'the group of gadgets' }, paths: {} }],
        ] as const)),
    [
      '/openapi/v2',
      {
        swagger: '2.0',
        paths: { [path]: { get: operation }, '/api/v1/pods': { get: { operationId: 'stolen' } } },
        definitions: {
          [schema]: { type: 'object', properties: { metadata: meta }, 'x-kubernetes-group-version-kind': kinds },
          'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': { type: 'object', description: 'another one' },
          unused: { type: 'string' },
        },
      },
    ],
  ])
}

function send(response: ServerResponse, status: number, object: object, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type })
  response.end(JSON.stringify(object))
}
