/** The API server of a cluster, put together: storage, certificates, authentication, server, listeners. */

import { join } from 'node:path'
import type { Client } from '../client/client.ts'
import { createLoopbackTransport } from '../client/loopback-transport.ts'
import { createClient } from '../client/resource-client.ts'
import type { UserInfo } from '../machinery/wire/message.ts'
import type { CertificateAuthority, KeyPair } from '../server/auth/certificate-authority.ts'
import { loadOrCreateAuthority, loadOrIssue } from '../server/auth/certificate-files.ts'
import { createTokenKeys, loadOrCreateSigningKey, type TokenKeys } from '../server/auth/json-web-token.ts'
import type { HealthCheck } from '../server/health.ts'
import { type Listener, listen } from '../server/http.ts'
import type { PathHandler, Server } from '../server/server.ts'
import { isProxyPath } from '../server/streaming-proxy.ts'
import { openLevelStorage } from '../storage/level-storage.ts'
import { openMemoryStorage } from '../storage/memory-storage.ts'
import type { Storage } from '../storage/storage.ts'
import { createApiServer } from './api-server.ts'
import { ADMINISTRATORS_GROUP, ensureRoles } from './bootstrap-roles.ts'
import { apiServiceAddress, type ClusterConfig } from './config.ts'
import type { Environment } from './environment.ts'
import { createFrontProxy, type FrontProxy } from './front-proxy.ts'
import { SYSTEM } from './identities.ts'
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
  readonly authority: CertificateAuthority
  /** Sign the tokens of service accounts. */
  readonly tokenKeys: TokenKeys
  /** Of encryption at rest. Undefined where they are not the cluster's own. */
  readonly encryptionKeys: OwnKeys | undefined
  /** With what the server comes to API servers behind it. */
  readonly frontProxy: () => Promise<FrontProxy>
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
  const encryption = stack.use(await openEncryption(config, environment))
  const [storage, authority, signingKey] = await Promise.all([
    openStorage(config, environment).then(encryption.over),
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
    issue('admin', [], 't8s-admin', [ADMINISTRATORS_GROUP]),
    issue('apiserver-kubelet-client', [], API_SERVER_NAME, ['system:masters']),
  ])
  const tokenKeys = createTokenKeys([signingKey])
  const stopping = new AbortController()
  stack.defer(() => stopping.abort())
  const { signal } = stopping
  const server = stack.use(await createApiServer({ ...parts, storage, authority, tokenKeys, caller, signal, stack }))
  const clientAs = (user: UserInfo) => createClient(createLoopbackTransport(server.handle, user))
  // Nobody meets a server that does not know yet what anybody may do.
  await ensureRoles({ registries: server.registries, client: clientAs(SYSTEM), clock })
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
    tokenKeys,
    encryptionKeys: encryption.ownKeys,
    frontProxy: createFrontProxy(config, environment),
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
    clientAs,
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
