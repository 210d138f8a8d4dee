/** Runs one action of a pod's plan against the runtime and tells about it in events. Decides nothing. */

import { readFile } from 'node:fs/promises'
import type { Pod } from '../apis/core/types.gen.ts'
import type { Clock } from '../base/clock.ts'
import type { EventRecorder } from '../client/events.ts'
import { messageOf } from './execute-error.ts'
import type { HookRunner } from './lifecycle-hooks.ts'
import type { PodAction } from './plan-pod.ts'
import type { PodDirectory } from './pod-directory.ts'
import { hostnameOf } from './pod-files.ts'
import type { PodContainer, StartFailure } from './pod-view.ts'
import type { ContainerRuntime, ContainerStatus } from './runtime/runtime.ts'
import type { PodVolumes } from './volumes/volume.ts'

export interface Executor {
  /** False: not ready yet, try again. */
  prepareVolumes(pod: Pod): Promise<boolean>
  createSandbox(pod: Pod, attempt: number): Promise<void>
  startContainer(pod: Pod, request: StartRequest): Promise<{ readonly containerId: string } | StartFailure>
  /** False: the hook failed, the container must go. */
  postStart(pod: Pod, container: PodContainer, containerId: string): Promise<boolean>
  stopContainer(pod: Pod, action: Extract<PodAction, { do: 'stop-container' }>): Promise<void>
  terminationMessage(pod: Pod, container: ContainerStatus): Promise<string>
  tearDown(podUid: string): Promise<void>
}

export interface StartRequest {
  readonly container: PodContainer
  readonly attempt: number
  readonly sandboxId: string
  /** Of the attempt before, for growing back-offs. */
  readonly failure: StartFailure | undefined
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
}

/** Bytes of a termination message that are kept, from the end of the file; fewer and at most 80 lines from logs. */
const MESSAGE_BYTES_MAX = 4096
const LOG_MESSAGE_BYTES_MAX = 2048
const LOG_MESSAGE_LINES_MAX = 80
/** A container that gets no grace of its own still gets this long, in seconds, after its preStop hook. */
const GRACE_AFTER_HOOK_SECONDS_MIN = 2

export function createExecutor(parts: ExecutorParts): Executor {
  const { runtime, volumes, directory, events, hooks, clock } = parts
  return {
    startContainer: parts.startContainer,
    async prepareVolumes(pod) {
      try {
        await directory.create(pod.metadata.uid ?? '')
        await volumes.prepare(pod)
        return true
      } catch (error) {
        events.event(pod, 'Warning', 'FailedMount', messageOf(error))
        throw error
      }
    },
    async createSandbox(pod, attempt) {
      try {
        await runtime.runSandbox(sandboxConfig(pod, attempt))
      } catch (error) {
        events.event(pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${messageOf(error)}`)
        throw error
      }
    },
    async postStart(pod, container, containerId) {
      const handler = container.spec.lifecycle?.postStart
      if (!handler) return true
      const failure = await hooks.run(pod, container, containerId, handler)
      if (failure === undefined) return true
      events.event(pod, 'Warning', 'FailedPostStartHook', `PostStartHook failed: ${failure}`, fieldPathOf(container))
      return false
    },
    async stopContainer(pod, { id, container, graceSeconds, message }) {
      const startedAtMs = clock.monotonic()
      events.event(pod, 'Normal', 'Killing', message, container ? fieldPathOf(container) : {})
      const handler = container?.spec.lifecycle?.preStop
      if (container && handler && graceSeconds > 0) {
        const failure = await hooks.run(pod, container, id, handler, graceSeconds * 1000)
        if (failure !== undefined)
          events.event(pod, 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${failure}`, fieldPathOf(container))
      }
      const elapsedSeconds = Math.floor((clock.monotonic() - startedAtMs) / 1000)
      await runtime.stopContainer(
        id,
        handler ? Math.max(GRACE_AFTER_HOOK_SECONDS_MIN, graceSeconds - elapsedSeconds) : graceSeconds,
      )
    },
    async terminationMessage(pod, container) {
      const file = container.annotations.terminationLog
      const text = file ? await readEnd(file) : ''
      const policy = policyOf(pod, container.name)
      if (text !== '' || policy !== 'FallbackToLogsOnError' || container.exitCode === 0) return text
      return lastLogLines(runtime, container.id)
    },
    async tearDown(podUid) {
      await volumes.tearDown(podUid)
      await directory.remove(podUid)
    },
  }
}

function sandboxConfig(pod: Pod, attempt: number) {
  const { metadata, spec } = pod
  return {
    pod: { uid: metadata.uid ?? '', namespace: metadata.namespace ?? '', name: metadata.name ?? '' },
    attempt,
    hostname: hostnameOf(pod),
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

async function readEnd(file: string): Promise<string> {
  const bytes = await readFile(file).catch(() => Buffer.alloc(0))
  return bytes.subarray(-MESSAGE_BYTES_MAX).toString('utf8')
}

async function lastLogLines(runtime: ContainerRuntime, id: string): Promise<string> {
  const lines: Uint8Array[] = []
  for await (const { bytes } of runtime.logs(id, { follow: false, tailLines: LOG_MESSAGE_LINES_MAX })) lines.push(bytes)
  return Buffer.concat(lines).subarray(-LOG_MESSAGE_BYTES_MAX).toString('utf8')
}
