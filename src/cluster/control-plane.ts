/** The API server of a cluster, put together: storage, certificates, authentication, server, listeners. */

import { join } from 'node:path'
import { builtinResources } from '../apis/builtin.ts'
import { createCatalog } from '../apis/catalog.ts'
import { nodes } from '../apis/core/node.ts'
import { pods } from '../apis/core/pod/definition.ts'
import { secrets } from '../apis/core/secret.ts'
import { services } from '../apis/core/service/definition.ts'
import { serviceAccounts } from '../apis/core/service-account.ts'
import { endpointSlices } from '../apis/discovery/endpoint-slice.ts'
import { assert } from '../base/assert.ts'
import { parseCidr } from '../base/ip.ts'
import { createMetrics } from '../base/metrics.ts'
import type { Client } from '../client/client.ts'
import { createLoopbackTransport } from '../client/loopback-transport.ts'
import { createClient } from '../client/resource-client.ts'
import { notFound } from '../machinery/meta/api-error.ts'
import type { KubeObject, ObjectKey } from '../machinery/meta/object.ts'
import type { UserInfo } from '../machinery/wire/message.ts'
import { anonymous } from '../server/auth/anonymous.ts'
import { inOrder, peerIdentity } from '../server/auth/authenticator.ts'
import { builtInRules } from '../server/auth/authorizer.ts'
import { bearerToken } from '../server/auth/bearer-token.ts'
import type { CertificateAuthority, KeyPair } from '../server/auth/certificate-authority.ts'
import { loadOrCreateAuthority, loadOrIssue } from '../server/auth/certificate-files.ts'
import { createTokenKeys, loadOrCreateSigningKey } from '../server/auth/json-web-token.ts'
import { createServiceAccountTokens } from '../server/auth/service-account-token.ts'
import type { Backend } from '../server/backend.ts'
import { filters } from '../server/filters/chain.ts'
import { createRequestMetrics } from '../server/filters/request-metrics.ts'
import { type HealthCheck, ping } from '../server/health.ts'
import { type Listener, listen } from '../server/http.ts'
import { plainPaths } from '../server/plain-paths.ts'
import { reviews } from '../server/reviews.ts'
import { createServer, type PathHandler, type Server } from '../server/server.ts'
import { createConnect, isProxyPath } from '../server/streaming-proxy.ts'
import { openLevelStorage } from '../storage/level-storage.ts'
import { openMemoryStorage } from '../storage/memory-storage.ts'
import type { Storage } from '../storage/storage.ts'
import { apiServiceAddress, type ClusterConfig } from './config.ts'
import { readDescriptions } from './descriptions.ts'
import type { Environment } from './environment.ts'
import { serviceEndpointsOf } from './service-endpoints.ts'
import { streamSubresources } from './stream-subresources.ts'
import { buildDate, T8S_VERSION } from './version.ts'

/** The common name with which the API server calls nodes. */
export const API_SERVER_NAME = 'system:kube-apiserver'

export interface ControlPlaneParts {
  readonly config: ClusterConfig
  readonly environment: Environment
  /** Where a node's API listens. Undefined: no node of this name runs here. */
  readonly dialNode: (name: string) => { readonly host: string; readonly port: number } | undefined
  /** Further checks of /readyz. */
  readonly checks: readonly HealthCheck[]
  /** Further paths: what the command line asks of the running process. */
  readonly paths: readonly PathHandler[]
}

export interface ControlPlane extends AsyncDisposable {
  readonly server: Server
  readonly storage: Storage
  readonly authority: CertificateAuthority
  /** What a kubeconfig holds. */
  readonly admin: KeyPair
  readonly port: number
  /** Also listens on this address of the machine, on the same port. */
  listenOn(host: string): Promise<void>
  /** A client in this process that speaks as this user. */
  clientAs(user: UserInfo): Client
  /** A certificate of the cluster's authority, kept in its folder under `name`. */
  issue(name: string, names: readonly string[], commonName: string, organizations: readonly string[]): Promise<KeyPair>
}

/** How long requests may go on after the listener has closed, in ms. */
const DRAIN_MS = 2_000

export async function startControlPlane(parts: ControlPlaneParts): Promise<ControlPlane> {
  const { config, environment } = parts
  const { clock, random, log } = environment
  await using stack = new AsyncDisposableStack()
  const keys = join(config.directory, 'pki')
  const [storage, authority, signingKey] = await Promise.all([
    openStorage(config, environment),
    loadOrCreateAuthority(keys, 'ca', { clock, random }),
    loadOrCreateSigningKey(join(keys, 'service-account.key')),
  ])
  stack.use(storage)
  const issue = (name: string, names: readonly string[], commonName: string, organizations: readonly string[]) =>
    loadOrIssue(keys, {
      name,
      authority,
      nowMs: clock.now(),
      names,
      issue: () =>
        names.length > 0
          ? authority.issueServer({ commonName, organizations, names, client: true })
          : authority.issueClient({ commonName, organizations }),
    })
  const [serving, admin, caller] = await Promise.all([
    issue('apiserver', servingNames(config), 'kube-apiserver', []),
    issue('admin', [], 't8s-admin', ['t8s:admins']),
    issue('apiserver-kubelet-client', [], API_SERVER_NAME, ['system:masters']),
  ])
  const server = stack.use(createApi(parts, storage, authority, signingKey, caller))
  const tls = { ...serving, clientCa: authority.certificate }
  const shared = { handle: server.handle, tls, http2: config.http2, clock, log, leavesBody: isProxyPath }
  const first = await listen({ ...shared, hosts: [config.host], port: config.port })
  const listeners: Listener[] = [first]
  stack.defer(async () => void (await Promise.all(listeners.map((listener) => listener.close(DRAIN_MS)))))
  const owned = stack.move()
  return {
    server,
    storage,
    authority,
    admin,
    port: first.port,
    listenOn: async (host) => {
      const names = [...servingNames(config), host]
      const certificate = await issue('apiserver', names, 'kube-apiserver', [])
      listeners.push(
        await listen({
          ...shared,
          tls: { ...certificate, clientCa: authority.certificate },
          hosts: [host],
          port: first.port,
        }),
      )
    },
    clientAs: (user) => createClient(createLoopbackTransport(server.handle, user)),
    issue,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function openStorage({ storage, directory, historyMs }: ClusterConfig, { clock, log }: Environment): Promise<Storage> {
  if (storage === 'memory') return Promise.resolve(openMemoryStorage({ clock, historyMs }))
  return openLevelStorage({ directory: join(directory, 'store'), clock, log, historyMs })
}

/** Every name under which clients and pods reach the server. */
function servingNames(config: ClusterConfig): readonly string[] {
  const inside = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${config.domain}`,
  ]
  return [...new Set(['localhost', ...inside, '127.0.0.1', config.host, apiServiceAddress(config)])]
}

function createApi(
  parts: ControlPlaneParts,
  storage: Storage,
  authority: CertificateAuthority,
  signingKey: string,
  caller: KeyPair,
): Server {
  const { config, environment } = parts
  const { clock, random, log } = environment
  const metrics = createMetrics()
  const catalog = createCatalog(builtinResources)
  const peek = <T extends KubeObject>(
    definition: Parameters<typeof server.registries.of<T>>[0],
    key: ObjectKey,
  ): T | undefined => server.registries.of(definition).peek(key)?.object()
  const bound = { serviceaccounts: serviceAccounts, pods, secrets, nodes }
  const checks = { livez: [ping], readyz: [ping, storageCheck(storage), ...parts.checks] }
  const keys = createTokenKeys([signingKey])
  const issuer = `https://kubernetes.default.svc.${config.domain}`
  const tokens = createServiceAccountTokens({
    keys,
    issuer,
    audiences: [issuer],
    clock,
    random,
    bound: {
      uidOf: (resource, key) => {
        const metadata = peek<KubeObject>(bound[resource], key)?.metadata
        return metadata?.deletionTimestamp ? undefined : metadata?.uid
      },
    },
  })
  const connect = createConnect({
    pod: async (key) => found(peek(pods, key), 'pods', key),
    serviceEndpoints: async (key, port) => {
      const service = found(peek(services, key), 'services', key)
      const { items } = await server.registries
        .of(endpointSlices)
        .list({ ...EVERYTHING, namespace: key.namespace ?? '' })
      return serviceEndpointsOf(
        service,
        items.map((item) => item.object()),
        port,
      )
    },
    dialNode: async (name) => backendOf(parts, authority, caller, name),
    random,
    log,
  })
  const server = createServer({
    storage,
    catalog,
    clock,
    random,
    log,
    filters: filters({
      clock,
      random,
      log,
      authenticator: inOrder([peerIdentity, bearerToken([tokens])], anonymous),
      authorizer: builtInRules,
      metrics: createRequestMetrics(metrics),
    }),
    tokenIssuer: tokens,
    serviceNetwork: { serviceCidr: checkedCidr(config.serviceCidr), nodePorts: config.nodePorts },
    paths: [
      plainPaths({ checks, metrics, keys, issuer, address: `https://${config.host}:${config.port}` }),
      ...parts.paths,
    ],
    subresources: [...streamSubresources(connect), ...reviews({ authorizer: builtInRules, tokens })],
    build: {
      nodeVersion: process.version,
      platform: process.platform,
      arch: process.arch,
      commit: T8S_VERSION,
      buildDate: buildDate(),
    },
    serverAddress: `${config.host}:${config.port}`,
    descriptions: readDescriptions(),
  })
  return server
}

function checkedCidr(text: string) {
  const cidr = parseCidr(text)
  assert(cidr, 'the configuration was checked')
  return cidr
}

const EVERYTHING = { resourceVersion: '', resourceVersionMatch: '', limit: 0, continueToken: '' }

function found<T>(object: T | undefined, resource: string, { name }: ObjectKey): T {
  if (object === undefined) throw notFound({ group: '', resource }, name)
  return object
}

function backendOf(
  { dialNode }: ControlPlaneParts,
  authority: CertificateAuthority,
  caller: KeyPair,
  name: string,
): Backend {
  const place = found(dialNode(name), 'nodes', { name })
  return { ...place, tls: { ...caller, ca: authority.certificate, serverName: name } }
}

function storageCheck(storage: Storage): HealthCheck {
  return { name: 'storage', check: () => (storage.mode.mode === 'read-only' ? storage.mode.reason : undefined) }
}
