/** Pure: what the engine is asked for when it creates sandboxes and containers. */

import type { ContainerCreateOptions, HostConfig } from 'dockerode'
import { labels } from './docker-engine.ts'
import { SANDBOX_IMAGE } from './docker-images.ts'
import { LOG_DRIVER } from './docker-logs.ts'
import type { ContainerConfig, ContainerResources, Mount, PodIdentity, SandboxConfig } from './runtime.ts'
import { oomScore, type SecurityFacts, securityConfig, userOf } from './security-context.ts'

/** Where a node's objects belong. */
export interface Ownership {
  readonly clusterName: string
  readonly nodeName: string
}

/** Which namespaces the containers of a sandbox take; kept in its labels. */
export interface Sharing {
  readonly hostPid: boolean
  readonly hostIpc: boolean
  readonly shareProcessNamespace: boolean
}

/** The mode of a sandbox that is not in its node's network. */
export const OWN_NETWORK = 'none'
/** Upstream's score of a sandbox: it goes last. */
const SANDBOX_OOM_SCORE = -998
const CPU_PERIOD_US = 100_000
/** The kernel's and upstream's own host names end here. */
const HOSTNAME_LENGTH_MAX = 63

export function sandboxCreateOptions(
  owner: Ownership,
  config: SandboxConfig,
  nodeContainerId: string,
  capabilities: readonly string[],
): ContainerCreateOptions {
  return {
    name: objectName(owner, 'POD', config.pod, config.attempt),
    Image: SANDBOX_IMAGE,
    // With the node's network comes the node's name. Otherwise the kernel gives an empty network of its own, and the
    // engine does not know of it: handing it over costs the engine as much as all else of a start.
    ...(!config.hostNetwork && { Hostname: config.hostname.slice(0, HOSTNAME_LENGTH_MAX), NetworkDisabled: true }),
    Labels: {
      ...ownerLabels(owner, 'sandbox', config.pod, config.attempt),
      [labels.sharing]: JSON.stringify(sharingIn(config)),
      [labels.nodeContainer]: nodeContainerId,
    },
    HostConfig: {
      NetworkMode: config.hostNetwork ? `container:${nodeContainerId}` : OWN_NETWORK,
      IpcMode: config.hostIpc ? 'host' : 'shareable',
      PidMode: config.hostPid ? 'host' : '',
      Sysctls: { ...config.sysctls },
      OomScoreAdj: oomScore(SANDBOX_OOM_SCORE, capabilities),
      CpuShares: 2,
      CapDrop: ['ALL'],
      ReadonlyRootfs: true,
      LogConfig: { Type: 'none', Config: {} },
      SecurityOpt: sandboxSecurity(config),
    },
  }
}

/**
 * To make a filter of system calls takes a third of a start, and the sandbox's program has nothing that one would guard:
 * it asks the kernel for three things and has no rights. Only where containers see its process could one of them, with
 * the right to trace others, act through it.
 */
function sandboxSecurity({ shareProcessNamespace }: SandboxConfig): string[] {
  return ['no-new-privileges', ...(shareProcessNamespace ? [] : ['seccomp=unconfined'])]
}

export function sharingIn({ hostPid, hostIpc, shareProcessNamespace }: SandboxConfig): Sharing {
  return { hostPid, hostIpc, shareProcessNamespace }
}

export interface SandboxFacts {
  readonly id: string
  readonly pod: PodIdentity
  readonly sharing: Sharing
}

export function containerCreateOptions(
  owner: Ownership,
  sandbox: SandboxFacts,
  config: ContainerConfig,
  facts: SecurityFacts,
): ContainerCreateOptions {
  const user = userOf(config.security, facts.imageUser)
  return {
    name: objectName(owner, config.name, sandbox.pod, config.attempt),
    Image: config.imageId,
    ...(config.command && { Entrypoint: [...config.command] }),
    ...(config.args && { Cmd: [...config.args] }),
    ...(config.workingDirectory && { WorkingDir: config.workingDirectory }),
    ...(user !== undefined && { User: user }),
    ...(config.stopSignal !== undefined && { StopSignal: config.stopSignal }),
    Env: config.environment.map(([name, value]) => `${name}=${value}`),
    OpenStdin: config.stdin,
    StdinOnce: config.stdinOnce,
    Tty: config.tty,
    Healthcheck: { Test: ['NONE'] },
    Labels: {
      ...ownerLabels(owner, 'container', sandbox.pod, config.attempt),
      [labels.sandbox]: sandbox.id,
      [labels.container]: config.name,
      [labels.image]: config.image,
      [labels.annotations]: JSON.stringify(config.annotations),
    },
    HostConfig: {
      ...namespacesOf(sandbox, config),
      ...resourceConfig(config.resources, facts.capabilities),
      ...securityConfig(config.security, facts),
      Mounts: config.mounts.map(mountConfig),
      LogConfig: LOG_DRIVER,
    },
  }
}

function namespacesOf({ id, sharing }: SandboxFacts, config: ContainerConfig): HostConfig {
  const own = sharing.shareProcessNamespace ? `container:${id}` : ''
  const target = config.processNamespaceOf === undefined ? own : `container:${config.processNamespaceOf}`
  return {
    NetworkMode: `container:${id}`,
    IpcMode: sharing.hostIpc ? 'host' : `container:${id}`,
    PidMode: sharing.hostPid ? 'host' : target,
  }
}

function resourceConfig(resources: ContainerResources, capabilities: readonly string[]): HostConfig {
  return {
    OomScoreAdj: oomScore(resources.oomScoreAdjust, capabilities),
    CpuShares: resources.cpuShares,
    ...(resources.cpuQuotaUs !== undefined && { CpuPeriod: CPU_PERIOD_US, CpuQuota: resources.cpuQuotaUs }),
    // As much swap as memory means none beyond it.
    ...(resources.memoryLimitBytes !== undefined && {
      Memory: resources.memoryLimitBytes,
      MemorySwap: resources.memoryLimitBytes,
    }),
  }
}

/** For a container that runs: 0 would leave a limit as it is, -1 takes it away. */
export function updateOptions(resources: ContainerResources): HostConfig {
  return {
    CpuShares: resources.cpuShares,
    CpuPeriod: CPU_PERIOD_US,
    CpuQuota: resources.cpuQuotaUs ?? -1,
    ...(resources.memoryLimitBytes !== undefined && {
      Memory: resources.memoryLimitBytes,
      MemorySwap: resources.memoryLimitBytes,
    }),
  }
}

const PROPAGATION = { 'host-to-container': 'rslave', bidirectional: 'rshared' } as const

function mountConfig(mount: Mount): NonNullable<HostConfig['Mounts']>[number] {
  const { source, target, readOnly, propagation } = mount
  const bind = { Type: 'bind', Source: source, Target: target, ReadOnly: readOnly } as const
  // Private is what the engine does unasked; asked, it refuses for folders that hold its own, such as /.
  return propagation === 'private' ? bind : { ...bind, BindOptions: { Propagation: PROPAGATION[propagation] } }
}

/** Unique per instance, so a pod that is made anew under its old name does not collide. */
function objectName(owner: Ownership, container: string, pod: PodIdentity, attempt: number): string {
  return ['t8s', owner.clusterName, container, pod.name, pod.namespace, pod.uid, attempt].join('_')
}

function ownerLabels(
  owner: Ownership,
  kind: 'sandbox' | 'container',
  pod: PodIdentity,
  attempt: number,
): Record<string, string> {
  return {
    [labels.cluster]: owner.clusterName,
    [labels.node]: owner.nodeName,
    [labels.kind]: kind,
    [labels.podUid]: pod.uid,
    [labels.podNamespace]: pod.namespace,
    [labels.podName]: pod.name,
    [labels.attempt]: String(attempt),
  }
}
