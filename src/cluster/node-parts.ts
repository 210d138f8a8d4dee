/** One logical node, put together: runtime, volumes, probes, agent, its API. The same parts for Docker and simulated nodes. */

import { configMaps } from '../apis/core/config-map.ts'
import { nodes } from '../apis/core/node.ts'
import { persistentVolumes } from '../apis/core/persistent-volume/definition.ts'
import { persistentVolumeClaims } from '../apis/core/persistent-volume-claim.ts'
import { secrets } from '../apis/core/secret.ts'
import { services } from '../apis/core/service/definition.ts'
import type { Pod } from '../apis/core/types.gen.ts'
import type { Client } from '../client/client.ts'
import { createEventRecorder } from '../client/events.ts'
import type { Informers } from '../client/informers.ts'
import { toNumber } from '../machinery/meta/quantity.ts'
import { startKubeletServer } from '../node/api/kubelet-server.ts'
import type { EnvironmentSources } from '../node/environment.ts'
import { createExecutor } from '../node/execute.ts'
import { startHeartbeat } from '../node/heartbeat.ts'
import { startKubelet } from '../node/kubelet.ts'
import { createHookRunner } from '../node/lifecycle-hooks.ts'
import { createPodDirectory } from '../node/pod-directory.ts'
import { sendHttp } from '../node/probes/http.ts'
import { Prober } from '../node/probes/prober.ts'
import { createProbeRunner } from '../node/probes/run-probe.ts'
import { capacityOf, type NodeDescription } from '../node/registration.ts'
import { admitPod } from '../node/resources/admission.ts'
import type { ContainerRuntime } from '../node/runtime/runtime.ts'
import { createStartContainer } from '../node/start-container.ts'
import { createTokenSource } from '../node/volumes/token-source.ts'
import { createPodVolumes } from '../node/volumes/volumes.ts'
import { type ClusterConfig, dnsAddress } from './config.ts'
import type { Environment } from './environment.ts'
import { KUBELET_VERSION } from './version.ts'

export interface NodeParts {
  readonly config: ClusterConfig
  readonly environment: Environment
  /** Speaks as the node. */
  readonly client: Client
  /** Shared by all nodes of the process. */
  readonly informers: Informers
  readonly runtime: ContainerRuntime
  readonly name: string
  readonly ip: string
  /** Where the node keeps its pods' files. */
  readonly directory: string
  /** For the node's HTTPS API. */
  readonly tls: { readonly certificate: string; readonly key: string; readonly clientCa: string }
  readonly allowedNames: readonly string[]
  /** Resolves when the node's network carries pods. */
  readonly networkReady: (signal: AbortSignal) => Promise<void>
}

export interface RunningNode extends AsyncDisposable {
  readonly name: string
  /** Where its API listens. */
  readonly host: string
  readonly port: number
  /** Resolves when it has reported Ready. */
  readonly ready: Promise<void>
}

const LOOPBACK = '127.0.0.1'

export async function startNode(parts: NodeParts): Promise<RunningNode> {
  const { config, environment, client, informers, runtime, name, ip, directory, tls, allowedNames } = parts
  const { clock, random } = environment
  const log = environment.log.child({ node: name })
  const stop = new AbortController()
  const stack = new AsyncDisposableStack()
  const version = await runtime.version()
  const running: { pods: () => readonly Pod[] } = { pods: () => [] }
  const api = stack.use(
    await startKubeletServer({
      ...tls,
      nodeName: name,
      runtime,
      pods: () => running.pods(),
      host: LOOPBACK,
      port: 0,
      allowedNames,
      clock,
      log,
    }),
  )
  const description = describe(parts, `${version.name}://${version.version}`, api.port)
  const ready = startHeartbeat(
    { client, runtime, clock, log, description, whenRegistered: () => parts.networkReady(stop.signal) },
    stop.signal,
  )
  const events = createEventRecorder({ client, clock, log, component: 'kubelet', host: name })
  const files = createPodDirectory(directory)
  const sources = environmentSources(informers, capacityOf(description), ip)
  const claims = claimSources(informers)
  const volumes = createPodVolumes({
    directory: files,
    files: { ...sources, tokens: createTokenSource(client, clock) },
    claims,
    clock,
  })
  const hooks = createHookRunner({ runtime, clock, http: sendHttp })
  const startContainer = createStartContainer({
    runtime,
    volumes,
    directory: files,
    events,
    sources,
    dns: { clusterDns: dnsAddress(config), domain: config.domain, nodeResolvConf: environment.resolvConf },
    nodeHosts: environment.hosts,
    memoryCapacityBytes: toNumber(capacityOf(description).memory),
    pullCredentials: () => undefined,
    clock,
  })
  const executor = createExecutor({ runtime, volumes, directory: files, events, hooks, startContainer, clock })
  const wake = { pod: (_uid: string) => {} }
  const probes = new Prober({
    run: createProbeRunner(runtime, sendHttp),
    clock,
    random,
    events,
    onChange: (uid) => wake.pod(uid),
  })
  const facts = { runtimeName: version.name, hostIp: ip }
  const admit = (pod: Pod, others: readonly Pod[]) => {
    const node = informers.of(nodes).get({ name })
    return node && admitPod(pod, others, node)
  }
  const kubelet = stack.use(
    startKubelet({
      nodeName: name,
      client,
      informers,
      runtime,
      executor,
      probes,
      facts,
      volumes,
      directory: files,
      clock,
      log,
      admit,
    }),
  )
  running.pods = () => kubelet.pods()
  wake.pod = (uid) => kubelet.wake(uid)
  stack.defer(() => stop.abort())
  return { name, host: api.host, port: api.port, ready, [Symbol.asyncDispose]: () => stack.disposeAsync() }
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
  const private_ = informers.of(secrets)
  return {
    configMap: (namespace, name) => maps.get({ namespace, name }),
    secret: (namespace, name) => private_.get({ namespace, name }),
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
