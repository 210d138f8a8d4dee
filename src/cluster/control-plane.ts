/** The API server of a cluster, put together: storage, certificates, authentication, server, listeners. */

import { join } from 'node:path'
import { createMetrics } from '../base/metrics.ts'
import type { Client } from '../client/client.ts'
import { createLoopbackTransport } from '../client/loopback-transport.ts'
import { createClient } from '../client/resource-client.ts'
import type { UserInfo } from '../machinery/wire/message.ts'
import type { CertificateAuthority } from '../server/auth/certificate-authority.ts'
import { loadOrCreateAuthority } from '../server/auth/certificate-files.ts'
import { createTokenKeys, type TokenKeys } from '../server/auth/json-web-token.ts'
import { loadSigningKeys } from '../server/auth/signing-keys.ts'
import type { HealthCheck } from '../server/health.ts'
import type { PathHandler, Server } from '../server/server.ts'
import { isProxyPath } from '../server/streaming-proxy.ts'
import { openLevelStorage } from '../storage/level-storage.ts'
import { openMemoryStorage } from '../storage/memory-storage.ts'
import type { Storage } from '../storage/storage.ts'
import { createApiServer } from './api-server.ts'
import { seedBootstrap } from './bootstrap.ts'
import { ADMINISTRATORS_GROUP, ensureRoles } from './bootstrap-roles.ts'
import { apiServiceAddress, type ClusterConfig } from './config.ts'
import { signingKeyFiles } from './credentials.ts'
import type { Environment } from './environment.ts'
import { createFrontProxy, type FrontProxy } from './front-proxy.ts'
import { SYSTEM, userAgentOf } from './identities.ts'
import { createListeners } from './listeners.ts'
import { type Certificates, certificateMetric, createCertificates } from './security/certificates.ts'
import { type OwnKeys, openEncryption } from './security/encryption.ts'

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
  /** There was nothing in the storage: what can be seeded has just been. */
  readonly isNew: boolean
  readonly authority: CertificateAuthority
  /** Sign the tokens of service accounts. */
  readonly tokenKeys: TokenKeys
  /** Of encryption at rest. Undefined where they are not the cluster's own. */
  readonly encryptionKeys: OwnKeys | undefined
  /** With what the server comes to API servers behind it. */
  readonly frontProxy: () => Promise<FrontProxy>
  readonly port: number
  /** Also listens on this address of the machine, on the same port. */
  listenOn(host: string): Promise<void>
  /** A client in this process that speaks as this user. */
  clientAs(user: UserInfo): Client
  /** Of the cluster's authority, kept in its folder. */
  readonly certificates: Certificates
}

export async function startControlPlane(parts: ControlPlaneParts): Promise<ControlPlane> {
  const { config, environment } = parts
  const { clock, random, log } = environment
  await using stack = new AsyncDisposableStack()
  const keys = join(config.directory, 'pki')
  const metrics = createMetrics()
  const encryption = stack.use(await openEncryption(config, environment, metrics))
  const [storage, authority, signingKeys] = await Promise.all([
    openStorage(config, environment).then(encryption.over),
    loadOrCreateAuthority(keys, 'ca', { clock, random }),
    loadSigningKeys(signingKeyFiles(keys)),
  ])
  stack.use(storage)
  const stopping = new AbortController()
  stack.defer(() => stopping.abort())
  const { signal } = stopping
  const certificates = createCertificates({ directory: keys, authority, environment, signal })
  const listeners = createListeners(authority.bundle)
  const [serving, caller] = await Promise.all([
    certificates.keep({ name: 'apiserver', commonName: 'kube-apiserver', names: servingNames(config) }, listeners.show),
    certificates.keep({
      name: 'apiserver-kubelet-client',
      commonName: API_SERVER_NAME,
      organizations: ['system:masters'],
    }),
    // What `t8s kubeconfig` reads.
    certificates.keep({ name: 'admin', commonName: 't8s-admin', organizations: [ADMINISTRATORS_GROUP] }),
  ])
  listeners.show(serving.current)
  const tokenKeys = createTokenKeys(signingKeys)
  const frontProxy = createFrontProxy(config, environment, listeners.trustFrontProxies)
  const server = stack.use(
    await createApiServer({ ...parts, storage, authority, tokenKeys, caller, frontProxy, metrics, signal, stack }),
  )
  const clientAs = (user: UserInfo) => createClient(createLoopbackTransport(server.handle, user, userAgentOf(user)))
  // Nobody meets a server that does not know yet what anybody may do.
  const { registries } = server
  const isNew = storage.head === 0
  const seeding = isNew ? seedBootstrap(registries, config) : undefined
  await Promise.all([ensureRoles({ registries, client: clientAs(SYSTEM), clock }), seeding])
  const leavesBody = (url: string): boolean => isProxyPath(url) || server.aggregation.passes(url)
  const onCertificate = certificateMetric(metrics)
  const shared = { handle: server.handle, onCertificate, http2: config.http2, clock, log, leavesBody }
  const listenAt = (host: string, port: number) => listeners.open({ ...shared, hosts: [host], port })
  const { port } = await listenAt(config.host, config.port)
  stack.use(listeners)
  const owned = stack.move()
  return {
    server,
    storage,
    isNew,
    authority,
    tokenKeys,
    encryptionKeys: encryption.ownKeys,
    frontProxy,
    port,
    listenOn: async (host) => {
      await serving.cover(host)
      await listenAt(host, port)
    },
    clientAs,
    certificates,
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
