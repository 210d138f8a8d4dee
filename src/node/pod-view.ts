/** What a pod worker knows at one moment: the spec, what the runtime shows, and what the worker remembers. Pure data. */

import type { Container, EphemeralContainer, Pod } from '../apis/core/types.gen.ts'
import type { ContainerStatus, SandboxStatus } from './runtime/runtime.ts'

export type ContainerKind = 'init' | 'sidecar' | 'main' | 'ephemeral'

export interface PodContainer {
  readonly kind: ContainerKind
  readonly spec: Container | EphemeralContainer
}

/** Why a container could not be started last time. */
export interface StartFailure {
  /** The waiting reason: `ErrImagePull`, `CreateContainerConfigError`, … */
  readonly reason: string
  readonly message: string
  /** From this time on the reason becomes the back-off's, and no earlier than this it is tried again. */
  readonly retryAtMs: number
}

/** Absent: no probe, or no result yet. */
export interface ProbeResults {
  readonly startup?: boolean | undefined
  readonly readiness?: boolean | undefined
  readonly liveness?: boolean | undefined
}

/** The pod comes to an end although it may not be deleted: a deadline, an eviction, a refusal at admission. */
export interface Ending {
  readonly reason?: string | undefined
  readonly message?: string | undefined
  /** What the status says in the end, when the containers do not decide it. */
  readonly phase?: 'Failed' | undefined
  readonly startedAtMs: number
  readonly graceSeconds: number
}

export interface PodMemory {
  readonly volumesReady: boolean
  /** By container name. */
  readonly failures: ReadonlyMap<string, StartFailure>
  /** By container name: how long after its last exit a container waits for its next start. */
  readonly restartDelaysMs: ReadonlyMap<string, number>
  /** By container id. */
  readonly probes: ReadonlyMap<string, ProbeResults>
  /** By container id: the postStart hook. A container without one is not in the map. */
  readonly hooks: ReadonlyMap<string, 'running' | 'succeeded' | 'failed'>
  /** Tasks under way, as `taskOf` names them. */
  readonly busy: ReadonlySet<string>
  readonly ending: Ending | undefined
}

export interface PodView {
  readonly pod: Pod
  /** Newest first. */
  readonly sandboxes: readonly SandboxStatus[]
  readonly containers: readonly ContainerStatus[]
  readonly memory: PodMemory
  readonly nowMs: number
}

export function podContainers({ spec }: Pod): readonly PodContainer[] {
  return [
    ...(spec?.initContainers ?? []).map(
      (container): PodContainer => ({ kind: isSidecar(container) ? 'sidecar' : 'init', spec: container }),
    ),
    ...(spec?.containers ?? []).map((container): PodContainer => ({ kind: 'main', spec: container })),
    ...(spec?.ephemeralContainers ?? []).map((container): PodContainer => ({ kind: 'ephemeral', spec: container })),
  ]
}

function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always'
}

/** The instances of one container, the newest first. */
export function instancesOf(view: Pick<PodView, 'containers'>, name: string): readonly ContainerStatus[] {
  return view.containers
    .filter((instance) => instance.name === name)
    .sort((left, right) => right.attempt - left.attempt)
}

export function newestOf(view: Pick<PodView, 'containers'>, name: string): ContainerStatus | undefined {
  return instancesOf(view, name)[0]
}

export function sandboxOf(view: Pick<PodView, 'sandboxes'>): SandboxStatus | undefined {
  return view.sandboxes[0]?.state === 'ready' ? view.sandboxes[0] : undefined
}

export function isRunning(
  instance: ContainerStatus | undefined,
): instance is ContainerStatus & { readonly state: 'running' } {
  return instance?.state === 'running'
}

/** Whether a running container counts as started: its hook and its startup probe have passed. */
export function isStarted({ spec }: PodContainer, instance: ContainerStatus, memory: PodMemory): boolean {
  if (!isRunning(instance)) return false
  const hook = memory.hooks.get(instance.id)
  if (spec.lifecycle?.postStart && hook !== undefined && hook !== 'succeeded') return false
  return !spec.startupProbe || memory.probes.get(instance.id)?.startup === true
}

/** Whether the exit of this container calls for another run. */
export function shouldRestart(pod: Pod, { kind, spec }: PodContainer, exitCode: number): boolean {
  if (kind === 'ephemeral') return false
  if (kind === 'sidecar') return true
  const ruled = spec.restartPolicyRules?.find(({ exitCodes }) => {
    const listed = exitCodes?.values?.includes(exitCode) ?? false
    return exitCodes?.operator === 'NotIn' ? !listed : listed
  })
  if (ruled) return true
  const policy = spec.restartPolicy ?? pod.spec?.restartPolicy ?? 'Always'
  if (policy === 'Never') return false
  return exitCode !== 0 || (policy === 'Always' && kind === 'main')
}
