/** The status a pod shows, from what the node knows about it: pure. Reasons, phases and conditions are upstream's. */

import type {
  ContainerStatus as ApiContainerStatus,
  ContainerState,
  Pod,
  PodCondition,
  PodStatus,
} from '../apis/core/types.gen.ts'
import { formatTime } from '../machinery/meta/time.ts'
import { isFinished, restartAtMs } from './plan-pod.ts'
import {
  instancesOf,
  isRunning,
  isStarted,
  newestOf,
  type PodContainer,
  type PodView,
  podContainers,
  sandboxOf,
  shouldRestart,
} from './pod-view.ts'
import type { ContainerStatus } from './runtime/runtime.ts'

export interface NodeFacts {
  /** The prefix of container ids: `docker`. */
  readonly runtimeName: string
  readonly hostIp: string
}

type Phase = NonNullable<PodStatus['phase']>

/** `termination messages` by container id, read when a container was seen to exit. */
export type TerminationMessages = ReadonlyMap<string, string>

export function podStatus(view: PodView, facts: NodeFacts, messages: TerminationMessages): PodStatus {
  const previous = view.pod.status ?? {}
  const containers = podContainers(view.pod)
  const statuses = new Map(
    containers.map((container) => [container.spec.name, containerStatus(view, container, facts, messages)]),
  )
  const ofKind = (...kinds: readonly PodContainer['kind'][]) =>
    containers.filter(({ kind }) => kinds.includes(kind)).flatMap(({ spec }) => statuses.get(spec.name) ?? [])
  const phase = phaseOf(view)
  const ips = podIps(view, facts)
  const inits = ofKind('init', 'sidecar')
  const ephemeral = ofKind('ephemeral')
  return {
    phase,
    startTime: previous.startTime ?? formatTime(view.nowMs),
    reason: view.memory.ending?.reason ?? (phase === 'Failed' ? previous.reason : undefined),
    message: view.memory.ending?.message ?? (phase === 'Failed' ? previous.message : undefined),
    qosClass: previous.qosClass,
    observedGeneration: view.pod.metadata.generation,
    hostIP: facts.hostIp,
    hostIPs: [{ ip: facts.hostIp }],
    podIP: ips[0],
    podIPs: ips.length > 0 ? ips.map((ip) => ({ ip })) : undefined,
    initContainerStatuses: inits.length > 0 ? inits : undefined,
    containerStatuses: ofKind('main'),
    ephemeralContainerStatuses: ephemeral.length > 0 ? ephemeral : undefined,
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
): ApiContainerStatus {
  const { name, image } = container.spec
  const [newest, before] = instancesOf(view, name)
  const known = knownStatus(view.pod, name)
  if (!newest && known && (known.state?.terminated || isFinished(view))) return known
  const terminated = (instance: ContainerStatus) => terminatedState(instance, facts, messages)
  const waiting = waitingState(view, container, newest)
  const exited = newest?.state === 'exited' ? terminated(newest) : undefined
  const earlier = before?.state === 'exited' ? terminated(before) : known?.lastState
  const running = isRunning(newest) ? newest : undefined
  const started = newest !== undefined && isStarted(container, newest, view.memory)
  return {
    name,
    image: image ?? '',
    imageID: newest?.imageId ?? '',
    containerID: newest ? containerId(newest, facts) : undefined,
    state:
      waiting ??
      exited ??
      (running ? { running: { startedAt: formatTime(running.startedAtMs ?? running.createdAtMs) } } : {}),
    lastState: (waiting && exited ? exited : earlier) ?? {},
    ready: isReady(view, container, newest),
    started,
    restartCount: newest?.attempt ?? known?.restartCount ?? 0,
    ...(running ? runningDetails(container) : {}),
  }
}

function knownStatus({ status }: Pod, name: string): ApiContainerStatus | undefined {
  return [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ].find((candidate) => candidate.name === name)
}

function runningDetails({ spec }: PodContainer): Partial<ApiContainerStatus> {
  const { resources } = spec
  return {
    resources: resources ?? {},
    allocatedResources: resources?.requests,
    volumeMounts: spec.volumeMounts?.map(({ name, mountPath, readOnly }) => ({
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
  const ended = newest?.state === 'exited' && !shouldRestart(pod, container, newest.exitCode ?? 0)
  if (ended || (newest?.state === 'exited' && (memory.ending || isFinished(view)))) return undefined
  const failure = memory.failures.get(name)
  if (failure) return { waiting: { reason: failure.reason, message: failure.message } }
  if (newest?.state === 'exited') {
    const delayMs = memory.restartDelaysMs.get(name) ?? 0
    if (delayMs === 0 || restartAtMs(view, name, newest) <= nowMs) return undefined
    const message = `back-off ${backoffText(delayMs)} restarting failed container=${name} pod=${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`
    return { waiting: { reason: 'CrashLoopBackOff', message } }
  }
  return { waiting: { reason: isBehindInit(view, container) ? 'PodInitializing' : 'ContainerCreating' } }
}

/** Go's spelling of the delay: `10s`, `1m20s`. */
export function backoffText(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}

function isBehindInit(view: PodView, { kind }: PodContainer): boolean {
  if (view.pod.spec?.initContainers?.length === undefined || view.pod.spec.initContainers.length === 0) return false
  return kind === 'main' || podContainers(view.pod)[0]?.kind === 'init' || kind === 'init'
}

function isReady(view: PodView, container: PodContainer, newest: ContainerStatus | undefined): boolean {
  if (!newest) return false
  if (container.kind === 'init') return newest.state === 'exited' && newest.exitCode === 0
  if (!isRunning(newest) || !isStarted(container, newest, view.memory)) return false
  return !container.spec.readinessProbe || view.memory.probes.get(newest.id)?.readiness === true
}

// ---- the pod

/** Running when a container has been started and not all have ended; Succeeded and Failed are for good. */
function phaseOf(view: PodView): Phase {
  const { pod, memory } = view
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return pod.status.phase
  const newest = (container: PodContainer) => newestOf(view, container.spec.name)
  const containers = podContainers(pod)
  const mains = containers.filter(({ kind }) => kind === 'main')
  const anyRunning = containers.some(({ spec }) => instancesOf(view, spec.name).some(isRunning))
  if (memory.ending?.phase === 'Failed' && !anyRunning) return 'Failed'
  if (isFinished(view) && !anyRunning) {
    return containers.some((container) => container.kind !== 'ephemeral' && failedForGood(newest(container)))
      ? 'Failed'
      : 'Succeeded'
  }
  const ending = memory.ending !== undefined || pod.metadata.deletionTimestamp != null
  const allEnded = mains.every((container) => newest(container)?.state === 'exited')
  if (ending && !anyRunning && allEnded)
    return mains.some((container) => failedForGood(newest(container))) ? 'Failed' : 'Succeeded'
  return mains.some((container) => newest(container) !== undefined && newest(container)?.state !== 'created')
    ? 'Running'
    : 'Pending'
}

function failedForGood(instance: ContainerStatus | undefined): boolean {
  return instance?.state === 'exited' && instance.exitCode !== 0
}

interface Verdict {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly reason?: string
  readonly message?: string
}

function conditionsOf(
  view: PodView,
  phase: Phase,
  statuses: ReadonlyMap<string, ApiContainerStatus>,
): readonly PodCondition[] {
  const previous = view.pod.status?.conditions ?? []
  const containersReady = containersReadyVerdict(view, phase, statuses)
  const own = [
    { type: 'PodReadyToStartContainers', status: sandboxOf(view) ? ('True' as const) : ('False' as const) },
    initializedVerdict(view, phase, statuses),
    readyVerdict(view.pod, containersReady),
    containersReady,
    { type: 'PodScheduled', status: 'True' as const },
  ]
  const kept = previous.filter(({ type }) => !own.some((verdict) => verdict.type === type))
  return [...own.map((verdict) => condition(verdict, previous, view)), ...kept]
}

function condition(verdict: Verdict, previous: readonly PodCondition[], { pod, nowMs }: PodView): PodCondition {
  const before = previous.find(({ type }) => type === verdict.type)
  const unchanged = before?.status === verdict.status
  return {
    ...verdict,
    lastProbeTime: null,
    lastTransitionTime: unchanged ? before.lastTransitionTime : formatTime(nowMs),
    observedGeneration: pod.metadata.generation,
  }
}

function initializedVerdict(view: PodView, phase: Phase, statuses: ReadonlyMap<string, ApiContainerStatus>): Verdict {
  const type = 'Initialized'
  if (phase === 'Succeeded') return { type, status: 'True', reason: 'PodCompleted' }
  const mainsBegan = podContainers(view.pod).some(
    ({ kind, spec }) => kind === 'main' && newestOf(view, spec.name) !== undefined,
  )
  if (mainsBegan) return { type, status: 'True' }
  const incomplete = podContainers(view.pod)
    .filter(
      ({ kind, spec }) =>
        (kind === 'init' && !statuses.get(spec.name)?.ready) ||
        (kind === 'sidecar' && !statuses.get(spec.name)?.started),
    )
    .map(({ spec }) => spec.name)
  if (incomplete.length === 0) return { type, status: 'True' }
  const message = `containers with incomplete status: [${incomplete.join(' ')}]`
  return { type, status: 'False', reason: 'ContainersNotInitialized', message }
}

function containersReadyVerdict(
  view: PodView,
  phase: Phase,
  statuses: ReadonlyMap<string, ApiContainerStatus>,
): Verdict {
  const type = 'ContainersReady'
  if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' }
  const unready = podContainers(view.pod)
    .filter(({ kind, spec }) => (kind === 'main' || kind === 'sidecar') && !statuses.get(spec.name)?.ready)
    .map(({ spec }) => spec.name)
  if (unready.length === 0) return { type, status: 'True' }
  return {
    type,
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  }
}

function readyVerdict({ spec, status }: Pod, containersReady: Verdict): Verdict {
  const type = 'Ready'
  if (containersReady.status === 'False') return { ...containersReady, type }
  const missing = (spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = status?.conditions?.find((candidate) => candidate.type === conditionType)
    if (gate?.status === 'True') return []
    return gate
      ? `the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`
      : `corresponding condition of pod readiness gate "${conditionType}" does not exist.`
  })
  if (missing.length === 0) return { type, status: 'True' }
  return { type, status: 'False', reason: 'ReadinessGatesNotReady', message: missing.join(', ') }
}
