/** The node agent put together for tests, over any runtime and clock; its parts are the real ones. */

import { configMaps } from '../../src/apis/core/config-map.ts'
import { nodes } from '../../src/apis/core/node.ts'
import { secrets } from '../../src/apis/core/secret.ts'
import type { Clock } from '../../src/base/clock.ts'
import { silentLogger } from '../../src/base/log.ts'
import type { Random } from '../../src/base/random.ts'
import type { Client } from '../../src/client/client.ts'
import { createEventRecorder } from '../../src/client/events.ts'
import type { Informers } from '../../src/client/informers.ts'
import { createExecutor } from '../../src/node/execute.ts'
import { type Kubelet, startKubelet } from '../../src/node/kubelet.ts'
import { createHookRunner } from '../../src/node/lifecycle-hooks.ts'
import type { PodDirectory } from '../../src/node/pod-directory.ts'
import type { HttpClient } from '../../src/node/probes/http.ts'
import { Prober } from '../../src/node/probes/prober.ts'
import { createProbeRunner } from '../../src/node/probes/run-probe.ts'
import { admitPod } from '../../src/node/resources/admission.ts'
import type { ContainerRuntime } from '../../src/node/runtime/runtime.ts'
import { createStartContainer } from '../../src/node/start-container.ts'
import { createPodVolumes } from '../../src/node/volumes/volumes.ts'

export const NODE_NAME = 'node-1'
export const NODE_CAPACITY = { cpu: '4', memory: '8Gi', pods: '20' }

export interface AgentParts {
  readonly client: Client
  readonly informers: Informers
  readonly runtime: ContainerRuntime
  readonly clock: Clock
  readonly random: Random
  readonly files: PodDirectory
  readonly http: HttpClient
  readonly runtimeName: string
  readonly nodeIp: string
}

export async function startNodeAgent(parts: AgentParts): Promise<Kubelet> {
  const { client, informers, runtime, clock, random, files, http, nodeIp } = parts
  const log = silentLogger
  informers.of(nodes)
  const events = createEventRecorder({ client, clock, log, component: 'kubelet', host: NODE_NAME })
  const sources = {
    configMap: (namespace: string, name: string) => informers.of(configMaps).get({ namespace, name }),
    secret: (namespace: string, name: string) => informers.of(secrets).get({ namespace, name }),
    services: () => [],
    allocatable: NODE_CAPACITY,
    hostIp: nodeIp,
  }
  const volumes = createPodVolumes({
    directory: files,
    files: { ...sources, tokens: { token: async () => `token-${clock.now()}` } },
    claims: { claim: () => undefined, persistentVolume: () => undefined },
    clock,
  })
  const startContainer = createStartContainer({
    runtime,
    volumes,
    directory: files,
    events,
    sources,
    dns: { clusterDns: '10.96.0.10', domain: 'cluster.local', nodeResolvConf: '' },
    nodeHosts: '',
    memoryCapacityBytes: 8 * 2 ** 30,
    pullCredentials: () => undefined,
    clock,
  })
  const hooks = createHookRunner({ runtime, clock, http })
  const executor = createExecutor({ runtime, volumes, directory: files, events, hooks, startContainer, clock })
  const wake = { pod: (_uid: string) => {} }
  const run = createProbeRunner(runtime, http)
  const probes = new Prober({ run, clock, random, events, onChange: (uid) => wake.pod(uid) })
  const kubelet = startKubelet({
    nodeName: NODE_NAME,
    client,
    informers,
    runtime,
    executor,
    probes,
    facts: { runtimeName: parts.runtimeName, hostIp: nodeIp },
    volumes,
    directory: files,
    clock,
    log,
    admit: (pod, others) => {
      const node = informers.of(nodes).get({ name: NODE_NAME })
      return node && admitPod(pod, others, node)
    },
  })
  wake.pod = (uid) => kubelet.wake(uid)
  await informers.whenSynced()
  return kubelet
}
