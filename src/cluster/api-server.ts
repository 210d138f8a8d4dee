/** The API server itself, put together: who may ask, what is served, how nodes are reached. */

import { builtinResources } from '../apis/builtin.ts'
import { createCatalog } from '../apis/catalog.ts'
import { pods } from '../apis/core/pod/definition.ts'
import { services } from '../apis/core/service/definition.ts'
import type { ResourceDefinition } from '../apis/definition.ts'
import { endpointSlices } from '../apis/discovery/endpoint-slice.ts'
import { resourceMetrics } from '../apis/metrics/resource-metrics.ts'
import { assert } from '../base/assert.ts'
import { parseCidr } from '../base/ip.ts'
import type { Metrics } from '../base/metrics.ts'
import { type Random, randomInteger } from '../base/random.ts'
import { createLoopbackTransport } from '../client/loopback-transport.ts'
import { createClient } from '../client/resource-client.ts'
import { notFound } from '../machinery/meta/api-error.ts'
import type { KubeObject, ObjectKey } from '../machinery/meta/object.ts'
import type { ResolveService } from '../server/admission/webhooks/webhook-client.ts'
import type { CertificateAuthority, KeyPair } from '../server/auth/certificate-authority.ts'
import type { TokenKeys } from '../server/auth/json-web-token.ts'
import type { Backend } from '../server/backend.ts'
import { filters } from '../server/filters/chain.ts'
import { createRequestMetrics } from '../server/filters/request-metrics.ts'
import { type HealthCheck, ping } from '../server/health.ts'
import { plainPaths } from '../server/plain-paths.ts'
import { ALL_NOW } from '../server/registry/list.ts'
import type { Registries } from '../server/registry/registries.ts'
import { fetchSummary } from '../server/resource-metrics/fetch-summary.ts'
import { resourceMetricsHandlers } from '../server/resource-metrics/resource-metrics.ts'
import { createUsageSource, type UsageSource } from '../server/resource-metrics/usage-source.ts'
import { reviews } from '../server/reviews.ts'
import { createServer, type PathHandler, type Server } from '../server/server.ts'
import { type Connect, createConnect } from '../server/streaming-proxy.ts'
import type { Storage } from '../storage/storage.ts'
import type { ClusterConfig } from './config.ts'
import { readDescriptions } from './descriptions.ts'
import type { Environment } from './environment.ts'
import { SYSTEM, userAgentOf } from './identities.ts'
import { openAudit } from './security/audit.ts'
import { createAuthentication } from './security/authentication.ts'
import { createAuthorization } from './security/authorization.ts'
import type { KeptPair } from './security/certificates.ts'
import { createClusterFlowControl } from './security/flow-control.ts'
import { serviceEndpointsOf } from './service-endpoints.ts'
import { buildDate, T8S_VERSION } from './version.ts'

export interface ApiServerParts {
  readonly config: ClusterConfig
  readonly environment: Environment
  readonly storage: Storage
  readonly authority: CertificateAuthority
  /** Sign the tokens of service accounts. */
  readonly tokenKeys: TokenKeys
  /** What the server shows to nodes. */
  readonly caller: Pick<KeptPair, 'current'>
  /** What it shows to API servers behind it. */
  readonly frontProxy: () => Promise<KeyPair>
  /** Where a node's API listens. Undefined: no node of this name runs here. */
  readonly dialNode: (name: string) => { readonly host: string; readonly port: number } | undefined
  /** Further checks of /readyz. */
  readonly checks: readonly HealthCheck[]
  /** Further paths. */
  readonly paths: readonly PathHandler[]
  readonly metrics: Metrics
  /** Ends what runs beside the server: files that are followed, callers of services outside the cluster. */
  readonly signal: AbortSignal
  /** Takes what ends after the server: the audit log, which gets its last words. */
  readonly stack: Pick<AsyncDisposableStack, 'use'>
}

export async function createApiServer(parts: ApiServerParts): Promise<Server> {
  const { config, environment, storage, tokenKeys: keys, metrics } = parts
  const { clock, random, log } = environment
  // Tokens and streams look objects up in the server that they are parts of.
  const late: { server?: Server } = {}
  const server = () => {
    assert(late.server, 'the server is there before it is asked')
    return late.server
  }
  const registries = () => server().registries
  const client = () => createClient(createLoopbackTransport(server().handle, SYSTEM, userAgentOf(SYSTEM)))
  const lookups = createLookups(registries)
  const { authorizer, roles, rules } = await createAuthorization({
    settings: config.security.authorization,
    environment,
    registries,
    metrics,
    signal: parts.signal,
  })
  const authentication = await createAuthentication({ ...parts, keys, registries, client, metrics })
  const { authenticator, issuer, tokenIssuer } = authentication
  const { flowControl, paths: dumps } = createClusterFlowControl({ ...parts, clock, registries, metrics })
  const checks = { livez: [ping], readyz: [ping, storageCheck(storage), ...parts.checks] }
  const address = `${config.host}:${config.port}`
  late.server = createServer({
    storage,
    catalog: createCatalog([...builtinResources, ...resourceMetrics]),
    clock,
    random,
    log,
    filters: filters({
      clock,
      random,
      log,
      authenticator,
      authorizer,
      metrics: createRequestMetrics(metrics),
      flowControl,
      auditing: parts.stack.use(await openAudit(config, environment, metrics)),
    }),
    authorization: { authorizer, roles },
    tokenIssuer,
    serviceNetwork: { serviceCidr: checkedCidr(config.serviceCidr), nodePorts: config.nodePorts },
    paths: [plainPaths({ checks, metrics, keys, issuer, address: `https://${address}` }), dumps, ...parts.paths],
    connect: connectTo(parts, lookups),
    resolveService: resolveWith(lookups, random),
    frontProxy: parts.frontProxy,
    subresources: [
      ...reviews({ authorizer, rules, tokens: authentication.tokenReviewer }),
      ...resourceMetricsHandlers({ list: lookups.list, source: usageSource(parts), clock }),
    ],
    build: buildInfo(),
    serverAddress: address,
    descriptions: readDescriptions,
  })
  metrics.append(late.server.aggregation.metrics)
  return late.server
}

function buildInfo() {
  const { version, platform, arch } = process
  return { nodeVersion: version, platform, arch, commit: T8S_VERSION, buildDate: buildDate() }
}

type Lookups = ReturnType<typeof createLookups>

/** What is in the server's memory, for its own parts. */
function createLookups(registries: () => Registries) {
  const registryOf = <T extends KubeObject>(definition: ResourceDefinition<T>) => registries().of(definition)
  const peek = <T extends KubeObject>(definition: ResourceDefinition<T>, key: ObjectKey): T | undefined =>
    registryOf(definition).peek(key)?.object()
  return {
    pod: (key: ObjectKey) => found(peek(pods, key), 'pods', key),
    service: (key: ObjectKey) => found(peek(services, key), 'services', key),
    findService: (key: ObjectKey) => peek(services, key),
    /** In all namespaces for ''. */
    async list<T extends KubeObject>(definition: ResourceDefinition<T>, namespace: string): Promise<readonly T[]> {
      const { items } = await registryOf(definition).list({ ...ALL_NOW, namespace })
      return items.map((item) => item.object())
    },
  }
}

function connectTo(parts: ApiServerParts, lookups: Lookups): Connect {
  const { random, log } = parts.environment
  return createConnect({
    pod: async (key) => lookups.pod(key),
    serviceEndpoints: async (key, port) =>
      serviceEndpointsOf(lookups.service(key), await lookups.list(endpointSlices, key.namespace ?? ''), port),
    dialNode: async (name) => backendOf(parts, name),
    random,
    log,
  })
}

/** Where a webhook's Service is reached: at one of the endpoints of its port. */
function resolveWith(lookups: Lookups, random: Random): ResolveService {
  return async (namespace, name, port) => {
    const service = lookups.findService({ namespace, name })
    if (service === undefined) throw new Error(`service ${JSON.stringify(name)} not found`)
    const { type, externalName = '' } = service.spec ?? {}
    if (type === 'ExternalName') return { host: externalName, port }
    const endpoints = serviceEndpointsOf(service, await lookups.list(endpointSlices, namespace), String(port))
    if (endpoints === undefined) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`)
    const endpoint = endpoints[randomInteger(random, endpoints.length)]
    if (endpoint === undefined) throw new Error(`no endpoints available for service ${JSON.stringify(name)}`)
    return { host: endpoint.address, port: endpoint.port }
  }
}

function usageSource(parts: ApiServerParts): UsageSource {
  const { clock, log } = parts.environment
  return createUsageSource({ fetchSummary: async (name) => fetchSummary(backendOf(parts, name)), clock, log })
}

function backendOf({ dialNode, authority, caller }: ApiServerParts, name: string): Backend {
  const place = found(dialNode(name), 'nodes', { name })
  return { ...place, tls: { ...caller.current, ca: authority.bundle, serverName: name } }
}

function found<T>(object: T | undefined, resource: string, { name }: ObjectKey): T {
  if (object === undefined) throw notFound({ group: '', resource }, name)
  return object
}

function checkedCidr(text: string) {
  const cidr = parseCidr(text)
  assert(cidr, 'the configuration was checked')
  return cidr
}

function storageCheck(storage: Storage): HealthCheck {
  return { name: 'storage', check: () => (storage.mode.mode === 'read-only' ? storage.mode.reason : undefined) }
}
