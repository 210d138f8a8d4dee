/** The status a pod shows, from what the node knows about it: pure. Reasons, phases and conditions are upstream's. */

import type { ContainerStatus as ApiContainerStatus, ContainerState, Pod, PodStatus } from '../apis/core/types.gen.ts'
import { formatTime } from '../machinery/meta/time.ts'
import { isFinished } from './plan-pod.ts'
import { conditionsOf } from './pod-conditions.ts'
import {
  allocatedOf,
  hasEnded,
  instancesOf,
  isEnding,
  isRunning,
  isStarted,
  newestOf,
  type PodContainer,
  type PodView,
  podContainers,
} from './pod-view.ts'
import { appliedTo, sameResources } from './resize.ts'
import { restartAtMs, restartDelayMs } from './restart-delay.ts'
import type { ContainerStatus } from './runtime/runtime.ts'

export interface NodeFacts {
  /** The prefix of container ids: `docker`. */
  readonly runtimeName: string
  readonly hostIp: string
}

type Phase = NonNullable<PodStatus['phase']>

/** `termination messages` by container id, read when a container was seen to exit. */
export type TerminationMessages = ReadonlyMap<string, string>

/** The statuses of containers, by name. */
export type ContainerStatuses = ReadonlyMap<string, ApiContainerStatus>

/** What the node knows; conditions and fields of others are not in it (`mergeStatus`). */
export function podStatus(view: PodView, facts: NodeFacts, messages: TerminationMessages): PodStatus {
  const previous = view.pod.status ?? {}
  const { ending } = view.memory
  const common = {
    startTime: previous.startTime ?? formatTime(view.nowMs),
    qosClass: previous.qosClass,
    observedGeneration: view.pod.metadata.generation,
  }
  if (ending?.rejected) {
    const { reason, message } = ending
    return { ...common, phase: 'Failed', reason, message, conditions: previous.conditions }
  }
  const containers = podContainers(view.pod)
  const statuses = new Map(
    containers.flatMap((container) => {
      const status = containerStatus(view, container, facts, messages)
      return status ? [[container.spec.name, status] as const] : []
    }),
  )
  const ofKind = (...kinds: readonly PodContainer['kind'][]) => {
    const listed = containers
      .filter(({ kind }) => kinds.includes(kind))
      .flatMap(({ spec }) => statuses.get(spec.name) ?? [])
    return listed.length > 0 ? listed : undefined
  }
  const phase = phaseOf(view, statuses)
  const ips = podIps(view, facts)
  return {
    ...common,
    phase,
    reason: ending?.reason ?? (phase === 'Failed' ? previous.reason : undefined),
    message: ending?.message ?? (phase === 'Failed' ? previous.message : undefined),
    hostIP: facts.hostIp,
    hostIPs: [{ ip: facts.hostIp }],
    podIP: ips[0],
    podIPs: ips.length > 0 ? ips.map((ip) => ({ ip })) : undefined,
    initContainerStatuses: ofKind('init', 'sidecar'),
    containerStatuses: ofKind('main'),
    ephemeralContainerStatuses: ofKind('ephemeral'),
    conditions: conditionsOf(view, phase, statuses),
  }
}

/** A pod keeps the addresses it had, also when its sandbox is gone. */
function podIps(view: PodView, { hostIp }: NodeFacts): readonly string[] {
  if (view.pod.spec?.hostNetwork) return view.sandboxes.length > 0 || view.pod.status?.podIP ? [hostIp] : []
  const current = view.sandboxes[0]?.ips ?? []
  return current.length > 0 ? current : (view.pod.status?.podIPs ?? []).flatMap(({ ip }) => ip ?? [])
}

// ---- containers

function containerStatus(
  view: PodView,
  container: PodContainer,
  facts: NodeFacts,
  messages: TerminationMessages,
): ApiContainerStatus | undefined {
  const { name, image } = container.spec
  const [newest, before] = instancesOf(view, name)
  const known = knownStatus(view.pod, name)
  if (!newest && known && (known.state?.terminated || isFinished(view))) return known
  // A pod that was over before this agent saw it, and never had this container.
  if (!newest && !known && isTerminal(view.pod.status?.phase)) return undefined
  const terminated = (instance: ContainerStatus) => terminatedState(instance, facts, messages)
  const waiting = waitingState(view, container, newest)
  const exited = newest?.state === 'exited' ? terminated(newest) : undefined
  const earlier = before?.state === 'exited' ? terminated(before) : known?.lastState
  const running = isRunning(newest) ? newest : undefined
  return {
    name,
    image: image ?? '',
    imageID: newest?.imageId ?? '',
    containerID: newest ? containerId(newest, facts) : undefined,
    state:
      waiting ??
      exited ??
      (running ? { running: { startedAt: formatTime(running.startedAtMs ?? running.createdAtMs) } } : LOST),
    lastState: (waiting && exited ? exited : earlier) ?? {},
    ready: isReady(view, container, newest),
    started: newest !== undefined && isStarted(container, newest, view.memory),
    restartCount: newest?.attempt ?? known?.restartCount ?? 0,
    ...(running ? runningDetails(view, container, running) : {}),
  }
}

/** Of a container that should have been there when its pod ended. */
const LOST: ContainerState = {
  terminated: {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was terminated',
    startedAt: null,
    finishedAt: null,
  },
}

function isTerminal(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed'
}

function knownStatus({ status }: Pod, name: string): ApiContainerStatus | undefined {
  return [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ].find((candidate) => candidate.name === name)
}

function runningDetails(view: PodView, container: PodContainer, running: ContainerStatus): Partial<ApiContainerStatus> {
  const allocated = allocatedOf(view, container)
  const applied = appliedTo(view, running) ?? allocated
  return {
    resources: sameResources(allocated, applied) ? allocated : applied,
    allocatedResources: allocated.requests,
    volumeMounts: container.spec.volumeMounts?.map(({ name, mountPath, readOnly }) => ({
      name,
      mountPath,
      ...(readOnly ? { readOnly, recursiveReadOnly: 'Disabled' } : {}),
    })),
  }
}

export function containerId({ id }: ContainerStatus, { runtimeName }: NodeFacts): string {
  return `${runtimeName}://${id}`
}

function terminatedState(instance: ContainerStatus, facts: NodeFacts, messages: TerminationMessages): ContainerState {
  const { exitCode = 0, signal, startedAtMs, finishedAtMs, createdAtMs } = instance
  return {
    terminated: {
      exitCode,
      signal,
      reason: instance.reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
      message: messages.get(instance.id) || instance.message,
      startedAt: startedAtMs === undefined ? null : formatTime(startedAtMs),
      finishedAt: formatTime(finishedAtMs ?? createdAtMs),
      containerID: containerId(instance, facts),
    },
  }
}

/** Why a container does not run although it should; undefined when it runs, or has ended for good. */
function waitingState(
  view: PodView,
  container: PodContainer,
  newest: ContainerStatus | undefined,
): ContainerState | undefined {
  const { pod, memory, nowMs } = view
  const { name } = container.spec
  if (isRunning(newest)) return undefined
  if (newest?.state === 'exited' && (hasEnded(view, container) || isEnding(view) || isFinished(view))) return undefined
  if (!newest && isOver(view) && hasInitialized(view)) return undefined
  const backsOff = newest?.state === 'exited' && restartAtMs(container.spec, newest) > nowMs
  const failure = memory.failures.get(name)
  if (failure && (failure.retryAtMs > nowMs || !backsOff))
    return { waiting: { reason: failure.reason, message: failure.message } }
  if (backsOff) {
    const delay = backoffText(restartDelayMs(container.spec, newest))
    const { name: podName, namespace, uid } = pod.metadata
    const message = `back-off ${delay} restarting failed container=${name} pod=${podName}_${namespace}(${uid})`
    return { waiting: { reason: 'CrashLoopBackOff', message } }
  }
  if (newest?.state === 'exited') return undefined
  const hasInit = (pod.spec?.initContainers?.length ?? 0) > 0
  return { waiting: { reason: hasInit ? 'PodInitializing' : 'ContainerCreating' } }
}

/** Go's spelling of the delay: `10s`, `1m20s`. */
export function backoffText(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}

function isReady(view: PodView, container: PodContainer, newest: ContainerStatus | undefined): boolean {
  if (!newest) return false
  if (container.kind === 'init') return newest.state === 'exited' && newest.exitCode === 0
  if (!isRunning(newest) || !isStarted(container, newest, view.memory)) return false
  return !container.spec.readinessProbe || view.memory.probes.get(newest.id)?.readiness === true
}

// ---- the pod

/** Nothing of an ending pod runs any more, and nothing is about to. */
function isOver(view: PodView): boolean {
  return (
    isEnding(view) &&
    !view.containers.some(isRunning) &&
    ![...view.memory.busy].some((task) => task.startsWith('start '))
  )
}

/** A main container has been started at some time. */
function hasInitialized(view: PodView): boolean {
  const began = ({ spec }: PodContainer) =>
    instancesOf(view, spec.name).some(({ state }) => state !== 'created') ||
    knownStatus(view.pod, spec.name)?.containerID !== undefined
  return podContainers(view.pod).some((container) => container.kind === 'main' && began(container))
}

/** Succeeded and Failed are for good, and not before everything has ended. */
function phaseOf(view: PodView, statuses: ContainerStatuses): Phase {
  const { pod, memory } = view
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return pod.status.phase
  const isQuiet = !view.containers.some(isRunning)
  if (memory.ending?.phase === 'Failed' && isQuiet) return 'Failed'
  const mains = podContainers(pod).filter(({ kind }) => kind === 'main')
  const hasSucceeded = ({ spec }: PodContainer) => (exitOf(statuses.get(spec.name)) ?? 1) === 0
  if (isOver(view) || (isFinished(view) && isQuiet)) return mains.every(hasSucceeded) ? 'Succeeded' : 'Failed'
  if (isFinished(view)) return mains.some(({ spec }) => newestOf(view, spec.name)) ? 'Running' : 'Pending'
  if (podContainers(pod).some((container) => isPending(view, container, statuses))) return 'Pending'
  return 'Running'
}

/** Whether the pod waits for this container's first run. */
function isPending(view: PodView, { kind, spec }: PodContainer, statuses: ContainerStatuses): boolean {
  const { state, lastState, started } = statuses.get(spec.name) ?? {}
  const neverRan = !state?.running && !state?.terminated && !lastState?.terminated
  switch (kind) {
    case 'main':
      return neverRan
    case 'sidecar':
      return neverRan || (Boolean(state?.running) && !started && !hasInitialized(view))
    case 'init':
      return neverRan || Boolean(state?.running)
    case 'ephemeral':
      return false
  }
}

function exitOf(status: ApiContainerStatus | undefined): number | undefined {
  return status?.state?.terminated?.exitCode
}
