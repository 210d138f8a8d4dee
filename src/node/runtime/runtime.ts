/**
 * The container runtime contract, shaped like CRI: sandboxes, containers, images, streams. Two implementations
 * (Docker, simulated) pass `test/contracts/runtime-contract.ts`. One runtime serves one logical node and sees
 * only what belongs to it. Every method is safe to repeat; ids are the runtime's own.
 */

import type { Duplex, Readable, Writable } from 'node:stream'

export interface PodIdentity {
  readonly uid: string
  readonly namespace: string
  readonly name: string
}

export interface SandboxConfig {
  readonly pod: PodIdentity
  /** Grows with every new sandbox of the same pod. */
  readonly attempt: number
  readonly hostname: string
  /** Share the logical node's network namespace instead of getting a pod address. */
  readonly hostNetwork: boolean
  readonly hostPid: boolean
  readonly hostIpc: boolean
  readonly shareProcessNamespace: boolean
  readonly sysctls: Readonly<Record<string, string>>
  /** Bits per second, from the bandwidth annotations; absent: unlimited. */
  readonly annotations: Readonly<Record<string, string>>
}

export interface SandboxStatus {
  readonly id: string
  readonly pod: PodIdentity
  readonly attempt: number
  readonly state: 'ready' | 'not-ready'
  readonly createdAtMs: number
  /** Empty for hostNetwork. */
  readonly ips: readonly string[]
  readonly hostNetwork: boolean
}

export interface Mount {
  /** Absolute path on the machine; must exist. */
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
  readonly propagation: 'private' | 'host-to-container' | 'bidirectional'
}

export interface ContainerResources {
  /** Relative weight; 2 is the least. */
  readonly cpuShares: number
  /** Microseconds per 100 ms period; absent: no limit. */
  readonly cpuQuotaUs?: number | undefined
  readonly memoryLimitBytes?: number | undefined
  readonly oomScoreAdjust: number
}

export interface ContainerSecurity {
  readonly user?: number | undefined
  readonly group?: number | undefined
  readonly supplementalGroups: readonly number[]
  readonly privileged: boolean
  readonly noNewPrivileges: boolean
  readonly addCapabilities: readonly string[]
  readonly dropCapabilities: readonly string[]
  readonly readOnlyRootFilesystem: boolean
  readonly seccomp: 'runtime-default' | 'unconfined' | { readonly localhostProfile: string }
  readonly unmaskedProc: boolean
}

export interface ContainerConfig {
  readonly name: string
  /** Grows with every new container of this name in the pod: the restart count. */
  readonly attempt: number
  /** The reference of the pod's spec; `imageId` is what it resolved to. */
  readonly image: string
  readonly imageId: string
  /** Undefined keeps the image's. */
  readonly command?: readonly string[] | undefined
  readonly args?: readonly string[] | undefined
  readonly workingDirectory?: string | undefined
  readonly environment: readonly (readonly [name: string, value: string])[]
  readonly mounts: readonly Mount[]
  readonly stdin: boolean
  readonly stdinOnce: boolean
  readonly tty: boolean
  readonly resources: ContainerResources
  readonly security: ContainerSecurity
  readonly stopSignal?: string | undefined
  /** Share the process namespace of this container: ephemeral containers with a target. */
  readonly processNamespaceOf?: string | undefined
  /** Kept with the container and given back by `containers`: the spec's hash, the termination message path, … */
  readonly annotations: Readonly<Record<string, string>>
}

export interface ContainerStatus {
  readonly id: string
  readonly sandboxId: string
  readonly pod: PodIdentity
  readonly name: string
  readonly attempt: number
  readonly state: 'created' | 'running' | 'exited'
  readonly image: string
  readonly imageId: string
  readonly createdAtMs: number
  readonly startedAtMs?: number | undefined
  readonly finishedAtMs?: number | undefined
  readonly exitCode?: number | undefined
  readonly signal?: number | undefined
  /** `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`. */
  readonly reason?: string | undefined
  readonly message?: string | undefined
  readonly annotations: Readonly<Record<string, string>>
}

export interface ImageStatus {
  /** `sha256:…` */
  readonly id: string
  readonly tags: readonly string[]
  readonly digests: readonly string[]
  readonly sizeBytes: number
  /** The image's user: a number where it is one, else its name. */
  readonly user: { readonly uid?: number | undefined; readonly name?: string | undefined }
}

export interface LogOptions {
  readonly follow: boolean
  /** Lines from the end; undefined: all. */
  readonly tailLines?: number | undefined
  readonly sinceMs?: number | undefined
}

export interface LogLine {
  /** RFC 3339 with nanoseconds. */
  readonly timestamp: string
  readonly stream: 'stdout' | 'stderr'
  /** With its newline, if it had one. */
  readonly bytes: Uint8Array
}

export interface TerminalSize {
  readonly width: number
  readonly height: number
}

/** The ends that a remote command reads and writes. Absent: not connected. */
export interface ProcessStreams {
  readonly stdin?: Readable | undefined
  readonly stdout?: Writable | undefined
  readonly stderr?: Writable | undefined
  readonly resize?: AsyncIterable<TerminalSize> | undefined
}

export interface ContainerUsage {
  readonly cpuNanoseconds: number
  readonly memoryWorkingSetBytes: number
}

/** Something changed about this pod: look again. */
export interface RuntimeEvent {
  readonly podUid: string
}

/** A failure with the reason a pod's status shows: `ErrImagePull`, `CreateContainerError`, `RunContainerError`, … */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError'
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

export interface ContainerRuntime extends AsyncDisposable {
  version(): Promise<{ readonly name: string; readonly version: string; readonly apiVersion: string }>
  /** All of the node, or one pod's. */
  sandboxes(podUid?: string): Promise<readonly SandboxStatus[]>
  /** Creates, starts and connects; resolves when the pod has its addresses. */
  runSandbox(config: SandboxConfig): Promise<SandboxStatus>
  /** Stops its containers at once, disconnects the network and removes the sandbox. */
  removeSandbox(id: string): Promise<void>
  /** All of the node, or one pod's. */
  containers(podUid?: string): Promise<readonly ContainerStatus[]>
  createContainer(sandboxId: string, config: ContainerConfig): Promise<string>
  startContainer(id: string): Promise<void>
  /** Stop signal, then kill after the grace. Resolves when it has exited. */
  stopContainer(id: string, graceSeconds: number): Promise<void>
  removeContainer(id: string): Promise<void>
  updateContainer(id: string, resources: ContainerResources): Promise<void>
  images(): Promise<readonly ImageStatus[]>
  /** Undefined: not present. */
  image(reference: string): Promise<ImageStatus | undefined>
  /** Throws `RuntimeError` with `ErrImagePull`, `InvalidImageName` or `RegistryUnavailable`. */
  pullImage(
    reference: string,
    credentials?: { readonly username: string; readonly password: string },
  ): Promise<ImageStatus>
  removeImage(reference: string): Promise<void>
  /** Resolves with the exit code when the process has ended and its output is written. */
  exec(
    id: string,
    command: readonly string[],
    streams: ProcessStreams,
    options: { readonly tty: boolean; readonly signal?: AbortSignal },
  ): Promise<number>
  /** Resolves when the container has ended or the streams have closed. */
  attach(id: string, streams: ProcessStreams, signal?: AbortSignal): Promise<void>
  /** A connection to a port inside the sandbox's network namespace. */
  connect(sandboxId: string, port: number): Promise<Duplex>
  logs(id: string, options: LogOptions, signal?: AbortSignal): AsyncIterable<LogLine>
  usage(id: string): Promise<ContainerUsage | undefined>
  /** Ends with the signal; reconnects by itself. */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>
}
