/**
 * The API server as a function of a request: filters around, then health, documents about the server, and the
 * resources of the catalog. It knows no socket; `http.ts` and the loopback transport both call `handle`.
 */

import type { Catalog } from '../apis/catalog.ts'
import { services } from '../apis/core/service/definition.ts'
import type { Awaitable } from '../base/awaitable.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { pageNotFound } from '../machinery/meta/api-error.ts'
import type { ApiRequest, ApiResponse, Handler } from '../machinery/wire/message.ts'
import type { Storage } from '../storage/storage.ts'
import { createChangeDispatcher } from '../watch/change-dispatcher.ts'
import { admissionChain, builtinPlugins, type PluginParts } from './admission/chain.ts'
import type { AdmissionPlugin, AdmissionWrites } from './admission/plugin.ts'
import { createAdmissionView } from './admission/view.ts'
import { equivalentsAmong } from './admission/webhooks/invocation.ts'
import { createWebhookClient, type ResolveService } from './admission/webhooks/webhook-client.ts'
import { type Aggregation, createAggregation } from './aggregation/aggregation.ts'
import type { ConnectionParts } from './aggregation/connections.ts'
import { type Authorization, onlySuperusers } from './auth/authorization.ts'
import { admitConnection } from './connect-admission.ts'
import { createCustomResources } from './extensions/custom-resources.ts'
import { objectConversion } from './extensions/object-conversion.ts'
import { chain } from './filters/chain.ts'
import type { Filter } from './filters/filter.ts'
import { actions } from './handlers/actions.ts'
import { createDocuments, type DocumentParts } from './handlers/documents.ts'
import type { Exchange } from './handlers/exchange.ts'
import { handleResource, type RouteParts, type RouteTarget, type SubresourceHandler } from './handlers/routes.ts'
import type { AdmissionHooks } from './registry/admission-hooks.ts'
import { type ServiceReservationParts, serviceReservations } from './registry/allocators/service-reservations.ts'
import { EVENT_LIFETIME_MS, startExpiry } from './registry/expiry.ts'
import { createRegistries, type Registries } from './registry/registries.ts'
import type { TokenIssuer } from './registry/subresources/token-request.ts'
import { type RequestInfo, type ResourceRequestInfo, requestInfo } from './request-info.ts'
import type { Connect } from './streaming-proxy.ts'

export interface ServerDependencies extends Omit<DocumentParts, 'catalog' | 'clock' | 'aggregation'> {
  readonly storage: Storage
  readonly catalog: Catalog
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Outermost first. They find out who asks, and whether they may. */
  readonly filters: readonly Filter[]
  readonly tokenIssuer: TokenIssuer
  /** Handlers of paths that are no resources, asked in order before the server's own documents: health, metrics. */
  readonly paths?: readonly PathHandler[] | undefined
  /** Streams to containers and proxies to services: log, exec, attach, portforward, proxy. */
  readonly connect?: Connect | undefined
  /** Where the Services of webhooks and aggregated servers are reached. Absent: nowhere. */
  readonly resolveService?: ResolveService | undefined
  /** With what this server comes to aggregated ones. Absent: there are none. */
  readonly frontProxy?: ConnectionParts['frontProxy'] | undefined
  /** Further handlers by `group/resource/subresource`, with an empty subresource for reviews and the like. */
  readonly subresources?: readonly (readonly [string, SubresourceHandler])[] | undefined
  /** For plugins that ask for rights besides the request's own. Absent: superusers have them, nobody else. */
  readonly authorization?: Authorization | undefined
  /** In place of the usual admission plugins. */
  readonly plugins?: ((parts: PluginParts) => readonly AdmissionPlugin[]) | undefined
  /** Where services get their addresses and node ports from. */
  readonly serviceNetwork: Pick<ServiceReservationParts, 'serviceCidr' | 'nodePorts'>
}

export interface PathHandler {
  /** Undefined: not one of its paths. */
  handle(request: ApiRequest): Awaitable<ApiResponse | undefined>
  /** Those that the index at `/` tells of. */
  readonly names?: readonly string[] | undefined
}

export interface Server extends Disposable {
  readonly handle: Handler
  /** For what runs beside the server and must not depend on itself: authorizers, token checks. */
  readonly registries: Registries
  readonly aggregation: Aggregation
}

export function createServer(dependencies: ServerDependencies): Server {
  const {
    storage,
    catalog,
    clock,
    random,
    log,
    plugins = builtinPlugins,
    authorization = onlySuperusers,
    resolveService: resolve = resolveNothing,
    frontProxy = noFrontProxy,
  } = dependencies
  const dispatcher = createChangeDispatcher(storage, log)
  const view = createAdmissionView(() => registries, catalog)
  const writes: AdmissionWrites = {
    replacing: (definition, live, object) => registries.of(definition).replacing(live, object),
  }
  const webhooks = createWebhookClient({ clock, resolve })
  const customParts = { catalog, registries: () => registries, clock, log, random, webhooks }
  const customResources = createCustomResources(customParts)
  const equivalents = equivalentsAmong(() => catalog.all())
  const { byKind } = catalog
  const convert = objectConversion({ webhooks, random }, customResources.served)
  const pluginParts = { view, writes, clock, random, log, authorization, equivalents, convert, byKind, webhooks }
  const admission = customResources.guard(admissionChain(plugins(pluginParts)))
  const stored = async () => view.list(services)
  const reservations = new Map([['/services', serviceReservations({ ...dependencies.serviceNetwork, random, stored })]])
  const registries = createRegistries({
    ...{ storage, dispatcher, catalog, clock, random, log, admission, reservations },
    storageOf: (definition) => customResources.storageOf(definition, { storage, dispatcher }),
  })
  const pathNames = dependencies.paths?.flatMap(({ names = [] }) => names)
  const aggregation = createAggregation({ ...customParts, resolve, frontProxy })
  const followers = [customResources, aggregation]
  const documents = createDocuments({ ...dependencies, pathNames, aggregation })
  const paths: readonly PathHandler[] = [...(dependencies.paths ?? []), documents]
  const own = actions({ registries, tokenIssuer: dependencies.tokenIssuer })
  const connected = dependencies.connect ? connectHandlers(dependencies.connect, admission) : []
  const subresources = new Map([...own, ...connected, ...(dependencies.subresources ?? [])])
  const parts = { catalog, registries, clock, random, subresources }
  const handle = (request: ApiRequest, info: RequestInfo): Awaitable<ApiResponse> => {
    if (request.bodyFailure) throw request.bodyFailure
    const late = followers.find((one) => !one.isReady)
    if (late !== undefined) return late.whenReady(request.signal).then(() => handle(request, info))
    return aggregation.handle(request, info) ?? ownAnswer(parts, paths, request, info)
  }
  const stopping = new AbortController()
  const events = { registry: () => registries.named('', 'v1', 'events'), afterMs: EVENT_LIFETIME_MS }
  startExpiry([events], clock, log, stopping.signal)
  for (const one of followers) one.start()
  return {
    handle: chain(dependencies.filters, requestInfo, handle),
    registries,
    aggregation,
    [Symbol.dispose]() {
      stopping.abort()
      webhooks[Symbol.dispose]()
      documents[Symbol.dispose]()
      for (const one of followers) one[Symbol.dispose]()
      view[Symbol.dispose]()
      registries[Symbol.dispose]()
      dispatcher[Symbol.dispose]()
    },
  }
}

function ownAnswer(
  parts: RouteParts,
  paths: readonly PathHandler[],
  request: ApiRequest,
  info: RequestInfo,
): Awaitable<ApiResponse> {
  if (info.type === 'resource' && isServedGroup(parts.catalog, info)) return handleResource(parts, request, info)
  return pathAnswer(parts.catalog, paths, request)
}

async function pathAnswer(catalog: Catalog, paths: readonly PathHandler[], request: ApiRequest): Promise<ApiResponse> {
  for (const path of paths) {
    const answer = await path.handle(request)
    if (answer) return answer
  }
  if (isBelowVersion(catalog, request.path)) throw pageNotFound()
  return plainNotFound()
}

function resolveNothing(_namespace: string, name: string): Promise<never> {
  return Promise.reject(new Error(`service ${JSON.stringify(name)} not found`))
}

function noFrontProxy(): Promise<never> {
  return Promise.reject(new Error('this server is no front proxy'))
}

function isServedGroup(catalog: Catalog, { group, version, resource }: ResourceRequestInfo): boolean {
  if (catalog.byResource(group, version, resource) !== undefined) return true
  return catalog.all().some((definition) => definition.group === group)
}

/** Whether a path that names no resource leads into a version that is served. */
function isBelowVersion(catalog: Catalog, path: string): boolean {
  const [, root, ...rest] = path.split('/')
  if (root === 'api') return rest.length > 0
  const [group, version] = rest
  return (
    root === 'apis' && catalog.all().some((definition) => definition.group === group && definition.version === version)
  )
}

/** What is no path of the API is answered as a plain web server would. */
function plainNotFound(): ApiResponse {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }
  return { status: 404, headers, body: { type: 'bytes', bytes: Buffer.from('404 page not found\n') } }
}

const CONNECTED = [
  '/pods/log',
  '/pods/exec',
  '/pods/attach',
  '/pods/portforward',
  '/pods/proxy',
  '/services/proxy',
  '/nodes/proxy',
]

function connectHandlers(
  connect: Connect,
  admission: AdmissionHooks,
): readonly (readonly [string, SubresourceHandler])[] {
  const admitted = async (exchange: Exchange, target: RouteTarget) => {
    await admitConnection(admission, exchange, target)
    return connect(target, exchange.request)
  }
  const handler: SubresourceHandler = {
    handle(exchange, target) {
      // What is read is read: a log takes no other verb.
      if (target.subresource === 'log' && target.verb !== 'get') return undefined
      return admitted(exchange, target)
    },
  }
  return CONNECTED.map((name) => [name, handler])
}
