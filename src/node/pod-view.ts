/** What a pod worker knows at one moment: spec, what the runtime shows, what the worker remembers. Pure data. */

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
  /** No earlier than this it is tried again. */
  readonly retryAtMs: number
}

/** Absent: no probe, or no result yet. */
export interface ProbeResults {
  readonly startup?: boolean | undefined
  readonly readiness?: boolean | undefined
  readonly liveness?: boolean | undefined
}

/** The pod comes to an end: it is deleted, has passed its deadline, was evicted or refused at admission. */
export interface Ending {
  readonly reason?: string | undefined
  readonly message?: string | undefined
  /** What the status says in the end, when the containers do not decide it. */
  readonly phase?: 'Failed' | undefined
  /** The node never took it: nothing of it was started, and its status has no containers. */
  readonly rejected?: boolean | undefined
  readonly startedAtMs: number
  /** Undefined: what the pod's spec says. */
  readonly graceSeconds?: number | undefined
}

type ResourceRequirements = NonNullable<Container['resources']>

/** What a running pod was asked to become, and what the node makes of it. */
export interface Resize {
  /** `Deferred`: not now; `Infeasible`: never on this node. Undefined: it was granted. */
  readonly refusal?: { readonly reason: 'Deferred' | 'Infeasible'; readonly message: string } | undefined
  /** By container name: what the node has granted. A container that is not in the map has what its spec says. */
  readonly allocated: ReadonlyMap<string, ResourceRequirements>
  /** By container id: what the running instance has, where that is not what it was created with. */
  readonly applied: ReadonlyMap<string, ResourceRequirements>
  /** Why applying the granted resources failed last time. */
  readonly error?: string | undefined
}

export const NO_RESIZE: Resize = { allocated: new Map(), applied: new Map() }

export interface PodMemory {
  readonly volumesReady: boolean
  /** The number of the next sandbox. */
  readonly sandboxAttempt: number
  /** By container name. */
  readonly failures: ReadonlyMap<string, StartFailure>
  /** Instances that were stopped for another definition: the next one starts whatever the restart policy says. */
  readonly replaced: ReadonlySet<string>
  /** By container id. */
  readonly probes: ReadonlyMap<string, ProbeResults>
  /** By container id: the postStart hook. A container without one is not in the map. */
  readonly hooks: ReadonlyMap<string, 'running' | 'succeeded' | 'failed'>
  /** Tasks under way, as `taskOf` names them. */
  readonly busy: ReadonlySet<string>
  readonly ending: Ending | undefined
  /** The object is gone from the API: there is nobody left to tell. */
  readonly objectGone: boolean
  readonly resize: Resize
}

/** Of a pod that nothing has happened to. */
export const NEW_POD: PodMemory = {
  volumesReady: false,
  sandboxAttempt: 0,
  failures: new Map(),
  replaced: new Set(),
  probes: new Map(),
  hooks: new Map(),
  busy: new Set(),
  ending: undefined,
  objectGone: false,
  resize: NO_RESIZE,
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

/** Whether the pod is on its way out, for whatever reason. */
export function isEnding({ pod, memory }: PodView): boolean {
  return memory.ending !== undefined || pod.metadata.deletionTimestamp != null
}

/** Whether the container's last run was the last one for good. */
export function hasEnded(view: PodView, container: PodContainer): boolean {
  const newest = newestOf(view, container.spec.name)
  if (newest?.state !== 'exited' || view.memory.replaced.has(newest.id)) return false
  return !shouldRestart(view.pod, container, newest.exitCode ?? 0)
}

/** The resources the node has granted a container. */
export function allocatedOf(
  { memory }: { readonly memory: Pick<PodMemory, 'resize'> },
  { spec }: PodContainer,
): ResourceRequirements {
  return memory.resize.allocated.get(spec.name) ?? spec.resources ?? {}
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
