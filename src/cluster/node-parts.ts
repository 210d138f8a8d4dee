/** One logical node, put together: runtime, volumes, probes, agent, its API. The same parts for Docker and simulated nodes. */

import { KUBELET_SERVING_SIGNER } from '../apis/certificates/node-requests.ts'
import { configMaps } from '../apis/core/config-map.ts'
import { nodes } from '../apis/core/node.ts'
import { persistentVolumes } from '../apis/core/persistent-volume/definition.ts'
import { persistentVolumeClaims } from '../apis/core/persistent-volume-claim.ts'
import { secrets } from '../apis/core/secret.ts'
import { services } from '../apis/core/service/definition.ts'
import type { Logger } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import type { EventLane } from '../client/event-lane.ts'
import { createEventRecorder } from '../client/events.ts'
import type { Informers } from '../client/informers.ts'
import { toNumber } from '../machinery/meta/quantity.ts'
import { createKubeletAccess } from '../node/api/kubelet-access.ts'
import { type KubeletServer, startKubeletServer } from '../node/api/kubelet-server.ts'
import { createNodeMetrics, type NodeMetrics } from '../node/api/node-metrics.ts'
import { type KeyPair, keepCertificate } from '../node/certificates/certificate-manager.ts'
import type { EnvironmentSources } from '../node/environment.ts'
import { createExecutor } from '../node/execute.ts'
import { startHeartbeat } from '../node/heartbeat.ts'
import { pullCredentials } from '../node/images/pull-credentials.ts'
import { type Kubelet, startKubelet } from '../node/kubelet.ts'
import { createHookRunner } from '../node/lifecycle-hooks.ts'
import type { NodeFeed } from '../node/node-feed.ts'
import { createNoPodDirectory, createPodDirectory } from '../node/pod-directory.ts'
import { sendHttp } from '../node/probes/http.ts'
import { Prober } from '../node/probes/prober.ts'
import { createProbeRunner } from '../node/probes/run-probe.ts'
import { capacityOf, type NodeDescription } from '../node/registration.ts'
import { admitPod } from '../node/resources/admission.ts'
import type { ContainerRuntime } from '../node/runtime/runtime.ts'
import { createStartContainer } from '../node/start-container.ts'
import { createSimulatedVolumes } from '../node/volumes/simulated-volumes.ts'
import { createTokenSource } from '../node/volumes/token-source.ts'
import { createPodVolumes } from '../node/volumes/volumes.ts'
import { type ClusterConfig, dnsAddress } from './config.ts'
import type { Environment } from './environment.ts'
import { NODES_GROUP, nodeIdentity } from './identities.ts'
import { KUBELET_VERSION } from './version.ts'

export interface NodeParts {
  readonly config: ClusterConfig
  readonly environment: Environment
  /** Speaks as the node. */
  readonly client: Client
  /** Shared by all nodes of the process. */
  readonly informers: Informers
  readonly feed: NodeFeed
  /** In which events are written; shared like the informers. */
  readonly lane: EventLane
  /** False: its containers are simulated, and need no files. */
  readonly hasProcesses: boolean
  /** Ends with the node. */
  readonly runtime: ContainerRuntime
  readonly name: string
  readonly ip: string
  /** Where the node keeps its pods' files. */
  readonly directory: string
  /** For the node's HTTPS API. */
  readonly tls: { readonly certificate: string; readonly key: string; readonly clientCa: string }
  /** What its certificate names. */
  readonly names: readonly string[]
  /** Keeps the certificate that it has renewed. */
  readonly keep: (pair: KeyPair) => Promise<void>
  /** Common names of certificates that may do everything with that API. */
  readonly trustedNames: readonly string[]
  /** Resolves when the node's network carries pods. */
  readonly networkReady: (signal: AbortSignal) => Promise<void>
}

export interface RunningNode extends AsyncDisposable {
  readonly name: string
  /** What its certificate names. */
  readonly names: readonly string[]
  /** Where its API listens. */
  readonly host: string
  readonly port: number
  /** Resolves when it has reported Ready. */
  readonly ready: Promise<void>
}

const LOOPBACK = '127.0.0.1'

export async function startNode(parts: NodeParts): Promise<RunningNode> {
  const { environment, client, runtime, name, tls, trustedNames } = parts
  const { clock } = environment
  const log = environment.log.child({ node: name })
  const stop = new AbortController()
  const stack = new AsyncDisposableStack()
  stack.use(runtime)
  const version = await runtime.version()
  const late: { kubelet?: Kubelet } = {}
  const pods = () => late.kubelet?.pods() ?? []
  const access = createKubeletAccess({ nodeName: name, client, clock, trustedNames })
  const metrics = createNodeMetrics(clock)
  const where = { ...tls, host: LOOPBACK, port: 0, access, metrics }
  const api = stack.use(await startKubeletServer({ ...where, nodeName: name, runtime, pods, clock, log }))
  void keepServingCertificate(parts, { api, metrics, log }, stop.signal)
  const description = describe(parts, `${version.name}://${version.version}`, api.port)
  // Adopted pods are looked at when the network they are in is known again.
  const whenRegistered = async () => {
    await parts.networkReady(stop.signal)
    if (!stop.signal.aborted) late.kubelet ??= stack.use(startAgent(parts, description, version.name))
  }
  const ready = startHeartbeat({ client, runtime, clock, log, description, whenRegistered }, stop.signal)
  return {
    name,
    names: parts.names,
    host: api.host,
    port: api.port,
    ready,
    [Symbol.asyncDispose]: () => {
      stop.abort()
      return stack.disposeAsync()
    },
  }
}

/** Renewed by a request to the cluster, as any kubelet does. */
function keepServingCertificate(
  { environment, client, name, names, tls, keep }: NodeParts,
  { api, metrics, log }: { readonly api: KubeletServer; readonly metrics: NodeMetrics; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  const { clock, random } = environment
  const renewed = async (pair: KeyPair) => {
    await keep(pair)
    api.renew(pair)
  }
  const template = { commonName: nodeIdentity(name).name, organizations: [NODES_GROUP], names }
  const usages = ['digital signature', 'server auth'] as const
  const wish = { signerName: KUBELET_SERVING_SIGNER, usages, template, current: tls }
  return keepCertificate({ ...wish, client, clock, random, log, renewed, failed: metrics.renewalFailed }, signal)
}

/** The kubelet with everything it acts through. */
function startAgent(parts: NodeParts, description: NodeDescription, runtimeName: string): Kubelet {
  const { config, environment, client, informers, feed, runtime, name, ip } = parts
  const { clock, random } = environment
  const log = environment.log.child({ node: name })
  const events = createEventRecorder({ client, lane: parts.lane, clock, log, component: 'kubelet', host: name })
  const directory = parts.hasProcesses ? createPodDirectory(parts.directory) : createNoPodDirectory()
  const sources = environmentSources(informers, capacityOf(description), ip)
  const files = { ...sources, tokens: createTokenSource(client, clock) }
  const claims = claimSources(informers)
  const volumes = parts.hasProcesses
    ? createPodVolumes({ directory, files, claims, clock })
    : createSimulatedVolumes({ files, claims })
  const hooks = createHookRunner({ runtime, clock, http: sendHttp })
  const memoryCapacityBytes = toNumber(capacityOf(description).memory)
  const startContainer = createStartContainer({
    ...{ runtime, volumes, directory, events, sources, clock },
    dns: dnsFacts(parts),
    nodeHosts: environment.hosts,
    memoryCapacityBytes,
    pullCredentials: (pod, image) => pullCredentials(pod, image, sources.secret),
  })
  const late: { kubelet?: Kubelet } = {}
  const onChange = (uid: string) => late.kubelet?.wake(uid)
  const kubelet = startKubelet({
    ...{ nodeName: name, client, informers, runtime, volumes, directory, clock, log },
    feed,
    executor: createExecutor({
      ...{ runtime, volumes, directory, events, hooks, startContainer, clock, memoryCapacityBytes },
      domain: config.domain,
    }),
    probes: new Prober({ run: createProbeRunner(runtime, sendHttp), clock, random, events, onChange }),
    facts: { runtimeName, hostIp: ip },
    admit(pod, others) {
      const node = informers.of(nodes).get({ name })
      return node && admitPod(pod, others, node)
    },
  })
  late.kubelet = kubelet
  return kubelet
}

function dnsFacts({ config, environment }: NodeParts) {
  return { clusterDns: dnsAddress(config), domain: config.domain, nodeResolvConf: environment.resolvConf }
}

function describe(
  { config, environment, name, ip }: NodeParts,
  containerRuntimeVersion: string,
  kubeletPort: number,
): NodeDescription {
  return {
    name,
    machine: environment.machine,
    ip,
    podsMax: config.podsMax,
    containerRuntimeVersion,
    kubeletVersion: KUBELET_VERSION,
    kubeletPort,
    labels: {},
    taints: undefined,
    capacity: {},
  }
}

function environmentSources(
  informers: Informers,
  allocatable: Readonly<Record<string, string>>,
  hostIp: string,
): EnvironmentSources {
  const all = informers.of(services)
  const maps = informers.of(configMaps)
  const hidden = informers.of(secrets)
  return {
    configMap: (namespace, name) => maps.get({ namespace, name }),
    secret: (namespace, name) => hidden.get({ namespace, name }),
    services: (namespace) => {
      const api = all.get({ namespace: 'default', name: 'kubernetes' })
      return [...(api && namespace !== 'default' ? [api] : []), ...all.list(namespace)]
    },
    allocatable,
    hostIp,
  }
}

function claimSources(informers: Informers) {
  const claims = informers.of(persistentVolumeClaims)
  const volumes = informers.of(persistentVolumes)
  return {
    claim: (namespace: string, name: string) => claims.get({ namespace, name }),
    persistentVolume: (name: string) => volumes.get({ name }),
  }
}
