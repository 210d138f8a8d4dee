/** Runs one action of a pod's plan against the runtime and tells about it in events. Decides nothing. */

import { open } from 'node:fs/promises'
import type { Container, EphemeralContainer, Pod } from '../apis/core/types.gen.ts'
import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/error-text.ts'
import type { EventRecorder } from '../client/events.ts'
import { containerResources } from './container-spec.ts'
import type { HookRunner } from './lifecycle-hooks.ts'
import type { PodAction, PodSandbox } from './plan-pod.ts'
import type { PodDirectory } from './pod-directory.ts'
import { hostnameOf } from './pod-files.ts'
import { type Ending, type PodContainer, podContainers, type StartFailure, shouldRestart } from './pod-view.ts'
import { restartAtMs } from './restart-delay.ts'
import type { ContainerRuntime, ContainerStatus, SandboxConfig } from './runtime/runtime.ts'
import type { PodVolumes } from './volumes/volume.ts'

export interface Executor {
  /** Throws when they are not ready yet. */
  prepareVolumes(pod: Pod): Promise<void>
  releaseVolumes(podUid: string): Promise<void>
  createSandbox(pod: Pod, attempt: number): Promise<void>
  removeSandbox(pod: Pod, action: Extract<PodAction, { do: 'remove-sandbox' }>): Promise<void>
  startContainer(pod: Pod, request: StartRequest): Promise<{ readonly containerId: string } | StartFailure>
  /** False: the hook failed, the container must go. */
  postStart(pod: Pod, container: PodContainer, containerId: string): Promise<boolean>
  stopContainer(pod: Pod, request: StopRequest): Promise<void>
  /** Throws when the runtime refuses, or when less memory is asked for than is in use. */
  resizeContainer(pod: Pod, id: string, container: Container | EphemeralContainer): Promise<void>
  /** Never throws: a message that cannot be read is empty. */
  terminationMessage(pod: Pod, container: ContainerStatus): Promise<string>
  /** Tells when the container must wait before it runs again. */
  announceExit(pod: Pod, exited: ContainerStatus): void
  announceEnd(pod: Pod, ending: Ending): void
  announceRejection(pod: Pod, reason: string, message: string): void
  tearDown(podUid: string): Promise<void>
}

export type StopRequest = Extract<PodAction, { do: 'stop-container' }> & {
  /** False: the preStop hook was begun by an earlier stop. */
  readonly runHook: boolean
}

export interface StartRequest {
  readonly container: PodContainer
  readonly attempt: number
  readonly sandbox: PodSandbox
  /** Kept with the instance. */
  readonly restartDelayMs: number
  /** Gives up between steps, and in the middle of a pull. */
  readonly signal: AbortSignal
}

export type StartContainer = Executor['startContainer']

export interface ExecutorParts {
  readonly runtime: ContainerRuntime
  readonly volumes: PodVolumes
  readonly directory: PodDirectory
  readonly events: EventRecorder
  readonly hooks: HookRunner
  readonly startContainer: StartContainer
  readonly clock: Clock
  /** The cluster's domain, for host names that are fully qualified. */
  readonly domain?: string | undefined
  readonly memoryCapacityBytes?: number | undefined
}

/** Bytes of a termination message that are kept, from the end of the file; fewer and at most 80 lines from logs. */
const MESSAGE_BYTES_MAX = 4096
const LOG_MESSAGE_BYTES_MAX = 2048
const LOG_MESSAGE_LINES_MAX = 80
/** A container that gets no grace of its own still gets this long, in seconds, after its preStop hook. */
const GRACE_AFTER_HOOK_SECONDS_MIN = 2
const DOMAIN_DEFAULT = 'cluster.local'

export function createExecutor(parts: ExecutorParts): Executor {
  const { runtime, volumes, directory, events, hooks, clock, domain = DOMAIN_DEFAULT } = parts
  return {
    startContainer: parts.startContainer,
    async prepareVolumes(pod) {
      try {
        await directory.create(pod.metadata.uid ?? '')
        await volumes.prepare(pod)
      } catch (error) {
        events.event(pod, 'Warning', 'FailedMount', messageOf(error))
        throw error
      }
    },
    releaseVolumes: (podUid) => volumes.tearDown(podUid),
    async createSandbox(pod, attempt) {
      try {
        await runtime.runSandbox(sandboxConfig(pod, attempt, domain))
      } catch (error) {
        events.event(pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${messageOf(error)}`)
        throw error
      }
    },
    async removeSandbox(pod, { id, changed }) {
      const text = 'Pod sandbox changed, it will be killed and re-created.'
      if (changed) events.event(pod, 'Normal', 'SandboxChanged', text)
      await runtime.removeSandbox(id)
    },
    async postStart(pod, container, containerId) {
      const handler = container.spec.lifecycle?.postStart
      if (!handler) return true
      const failure = await hooks.run(pod, container, containerId, handler)
      if (failure === undefined) return true
      events.event(pod, 'Warning', 'FailedPostStartHook', `PostStartHook failed: ${failure}`, fieldPathOf(container))
      return false
    },
    stopContainer: (pod, request) => stopContainer(parts, pod, request),
    resizeContainer: (pod, id, container) => resizeContainer(parts, pod, id, container),
    async terminationMessage(pod, container) {
      const file = container.annotations.terminationLog
      const text = file ? await readEnd(file) : ''
      const policy = policyOf(pod, container.name)
      if (text !== '' || policy !== 'FallbackToLogsOnError' || container.exitCode === 0) return text
      return await lastLogLines(runtime, container.id).catch(() => '')
    },
    announceExit(pod, exited) {
      const container = podContainers(pod).find(({ spec }) => spec.name === exited.name)
      if (!container || !shouldRestart(pod, container, exited.exitCode ?? 0)) return
      if (restartAtMs(container.spec, exited) <= clock.now()) return
      const { name, namespace, uid } = pod.metadata
      const text = `Back-off restarting failed container ${exited.name} in pod ${name}_${namespace}(${uid})`
      events.event(pod, 'Warning', 'BackOff', text, fieldPathOf(container))
    },
    announceEnd(pod, { reason, message }) {
      if (reason !== undefined) events.event(pod, 'Normal', reason, message ?? '')
    },
    announceRejection: (pod, reason, message) => events.event(pod, 'Warning', reason, message),
    async tearDown(podUid) {
      await volumes.tearDown(podUid)
      await directory.remove(podUid)
    },
  }
}

async function stopContainer(
  { runtime, events, hooks, clock }: ExecutorParts,
  pod: Pod,
  { id, container, graceSeconds, message, runHook }: StopRequest,
): Promise<void> {
  const startedAtMs = clock.monotonic()
  const handler = runHook ? container?.spec.lifecycle?.preStop : undefined
  if (runHook) events.event(pod, 'Normal', 'Killing', message, container ? fieldPathOf(container) : {})
  if (container && handler) {
    const failure = await hooks.run(pod, container, id, handler, graceSeconds * 1000)
    if (failure !== undefined)
      events.event(pod, 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${failure}`, fieldPathOf(container))
  }
  const elapsedSeconds = Math.floor((clock.monotonic() - startedAtMs) / 1000)
  const leftSeconds = Math.max(GRACE_AFTER_HOOK_SECONDS_MIN, graceSeconds - elapsedSeconds)
  await runtime.stopContainer(id, handler ? leftSeconds : graceSeconds)
}

async function resizeContainer(
  { runtime, memoryCapacityBytes = Number.POSITIVE_INFINITY }: ExecutorParts,
  pod: Pod,
  id: string,
  container: Container | EphemeralContainer,
): Promise<void> {
  const resources = containerResources(pod, container, memoryCapacityBytes)
  const used = (await runtime.usage(id))?.memoryWorkingSetBytes ?? 0
  const { memoryLimitBytes } = resources
  if (memoryLimitBytes !== undefined && used > memoryLimitBytes)
    throw new Error(`attempting to set pod memory limit (${memoryLimitBytes}) below current usage (${used})`)
  await runtime.updateContainer(id, resources)
}

function sandboxConfig(pod: Pod, attempt: number, domain: string): SandboxConfig {
  const { metadata, spec } = pod
  return {
    pod: { uid: metadata.uid ?? '', namespace: metadata.namespace ?? '', name: metadata.name ?? '' },
    attempt,
    hostname: hostnameOf(pod, domain),
    hostNetwork: spec?.hostNetwork ?? false,
    hostPid: spec?.hostPID ?? false,
    hostIpc: spec?.hostIPC ?? false,
    shareProcessNamespace: spec?.shareProcessNamespace ?? false,
    sysctls: Object.fromEntries((spec?.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value])),
    annotations: metadata.annotations ?? {},
  }
}

export function fieldPathOf({ kind, spec }: PodContainer): { readonly fieldPath: string } {
  const list = kind === 'main' ? 'containers' : kind === 'ephemeral' ? 'ephemeralContainers' : 'initContainers'
  return { fieldPath: `spec.${list}{${spec.name}}` }
}

function policyOf({ spec }: Pod, name: string): string | undefined {
  const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? []), ...(spec?.ephemeralContainers ?? [])]
  return all.find((container) => container.name === name)?.terminationMessagePolicy
}

/** No more than is shown is read: the container decides how much it writes. */
async function readEnd(file: string): Promise<string> {
  try {
    await using handle = await open(file)
    const { size } = await handle.stat()
    const start = Math.max(0, size - MESSAGE_BYTES_MAX)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MESSAGE_BYTES_MAX), 0, MESSAGE_BYTES_MAX, start)
    return buffer.subarray(0, bytesRead).toString('utf8')
  } catch {
    return ''
  }
}

async function lastLogLines(runtime: ContainerRuntime, id: string): Promise<string> {
  const lines: Uint8Array[] = []
  for await (const { bytes } of runtime.logs(id, { follow: false, tailLines: LOG_MESSAGE_LINES_MAX })) lines.push(bytes)
  return Buffer.concat(lines).subarray(-LOG_MESSAGE_BYTES_MAX).toString('utf8')
}
