/**
 * What to do next for one pod: pure, level-triggered, safe to ask at any moment. The worker launches the actions as
 * tasks; a task under way is `busy` and not planned again.
 *
 *   volumes → sandbox → init containers in order (sidecars until started) → main containers, each on its own
 *   ending: main containers, then sidecars in reverse order, then the sandbox, then volumes and the object
 */

import type { Pod } from '../apis/core/types.gen.ts'
import { parseTime } from '../machinery/meta/time.ts'
import {
  allocatedOf,
  type Ending,
  hasEnded,
  instancesOf,
  isEnding,
  isRunning,
  isStarted,
  newestOf,
  type PodContainer,
  type PodView,
  podContainers,
  sandboxOf,
  shouldRestart,
} from './pod-view.ts'
import { resizeStep } from './resize.ts'
import { nextRestartDelayMs, restartAtMs } from './restart-delay.ts'
import type { ContainerStatus, SandboxStatus } from './runtime/runtime.ts'
import { specHash } from './spec-hash.ts'

export type PodAction =
  | { readonly do: 'prepare-volumes' }
  | { readonly do: 'create-sandbox'; readonly attempt: number }
  /** `changed`: it died, or its node did; another one follows. */
  | { readonly do: 'remove-sandbox'; readonly id: string; readonly changed: boolean }
  | {
      readonly do: 'start-container'
      /** With the resources that were granted. */
      readonly container: PodContainer
      readonly attempt: number
      readonly sandbox: PodSandbox
      /** The back-off that the new instance carries. */
      readonly restartDelayMs: number
    }
  | {
      readonly do: 'stop-container'
      readonly id: string
      readonly container: PodContainer | undefined
      readonly graceSeconds: number
      /** When the pod's own time is over. A shorter one begins a stop anew. */
      readonly untilMs?: number | undefined
      /** For the `Killing` event. */
      readonly message: string
      /** The definition changed: the next instance starts whatever the restart policy says. */
      readonly replaced?: boolean | undefined
    }
  | { readonly do: 'resize-container'; readonly id: string; readonly container: PodContainer }
  | { readonly do: 'remove-container'; readonly id: string }
  | { readonly do: 'end'; readonly ending: Ending }
  /** Nothing of the pod runs any more; its object and its logs stay. */
  | { readonly do: 'release-volumes' }
  /** Nothing of the pod runs any more, and its object is to go, or has gone. */
  | { readonly do: 'finish' }

/** Where a container runs, and at which addresses. */
export type PodSandbox = Pick<SandboxStatus, 'id' | 'ips'>

export interface PodPlan {
  readonly actions: readonly PodAction[]
  /** Look again at this time although nothing may have happened. */
  readonly wakeAtMs?: number | undefined
}

/** Grace of the last resort, in seconds: less than this gives a process no chance to handle its signal. */
const GRACE_SECONDS_MIN = 2
/** Of a process that was killed: what a failed probe comes to. */
const KILLED_EXIT_CODE = 137
/** What the API fills in; for pods that were stored without. */
const GRACE_SECONDS_DEFAULT = 30

/** The name of the task an action starts: at most one task of a name runs at a time. */
export function taskOf(action: PodAction): string {
  switch (action.do) {
    case 'start-container':
      return `${STARTING}${action.container.spec.name}`
    case 'stop-container':
      return `${action.do} ${action.id}${action.untilMs === undefined ? '' : ` ${action.untilMs}`}`
    case 'resize-container':
    case 'remove-container':
      return `${action.do} ${action.id}`
    case 'create-sandbox':
    case 'remove-sandbox':
      return SANDBOX
    default:
      return action.do
  }
}

const STARTING = 'start '
const SANDBOX = 'sandbox'
const PREPARING = 'prepare-volumes'

export function planPod(view: PodView): PodPlan {
  const plan = decide(view)
  const taken = new Set(view.memory.busy)
  const actions = plan.actions.filter((action) => {
    const task = taskOf(action)
    const isFree = !taken.has(task)
    taken.add(task)
    return isFree
  })
  return { ...plan, actions }
}

function decide(view: PodView): PodPlan {
  if (isEnding(view)) return planEnd(view)
  const deadlineMs = deadlineOf(view.pod)
  if (isFinished(view)) return planFinished(view)
  if (deadlineMs !== undefined && deadlineMs <= view.nowMs)
    return { actions: [{ do: 'end', ending: deadlineExceeded(view) }] }
  const plan = planStart(view)
  return { actions: [...plan.actions, ...planLeftovers(view)], wakeAtMs: earliest([plan.wakeAtMs, deadlineMs]) }
}

function deadlineOf({ spec, status }: Pod): number | undefined {
  const startMs = status?.startTime ? parseTime(status.startTime) : undefined
  return startMs === undefined || spec?.activeDeadlineSeconds === undefined
    ? undefined
    : startMs + spec.activeDeadlineSeconds * 1000
}

function deadlineExceeded({ nowMs }: PodView): Ending {
  return {
    reason: 'DeadlineExceeded',
    message: 'Pod was active on the node longer than the specified deadline',
    phase: 'Failed',
    startedAtMs: nowMs,
  }
}

function graceOf({ spec }: Pod): number {
  return Math.max(GRACE_SECONDS_MIN, spec?.terminationGracePeriodSeconds ?? GRACE_SECONDS_DEFAULT)
}

/** Every main container has ended for good, or an init container has failed for good; or it was so once. */
export function isFinished(view: PodView): boolean {
  const { phase } = view.pod.status ?? {}
  if (phase === 'Succeeded' || phase === 'Failed') return true
  const containers = podContainers(view.pod)
  const mains = containers.filter(({ kind }) => kind === 'main')
  if (mains.every((container) => hasEnded(view, container))) return true
  return containers.some(
    (container) =>
      container.kind === 'init' && hasEnded(view, container) && newestOf(view, container.spec.name)?.exitCode !== 0,
  )
}

// ---- starting

function planStart(view: PodView): PodPlan {
  if (!view.memory.volumesReady) return { actions: [{ do: 'prepare-volumes' }] }
  const sandbox = sandboxOf(view)
  if (!sandbox) return planSandbox(view)
  const { plans, complete } = planInit(view, sandbox)
  for (const { id } of view.sandboxes.slice(1)) plans.push({ actions: [{ do: 'remove-sandbox', id, changed: false }] })
  if (complete)
    for (const container of podContainers(view.pod))
      if (container.kind === 'main') plans.push(planRun(view, container, sandbox))
  for (const container of podContainers(view.pod)) {
    if (container.kind === 'ephemeral' && instancesOf(view, container.spec.name).length === 0)
      plans.push(planRun(view, container, sandbox))
  }
  return { actions: plans.flatMap(({ actions }) => actions), wakeAtMs: earliest(plans.map(({ wakeAtMs }) => wakeAtMs)) }
}

/** A dead sandbox goes, with what is left in it, before the next one comes. */
function planSandbox({ sandboxes, memory }: PodView): PodPlan {
  const [dead] = sandboxes
  if (dead) return { actions: [{ do: 'remove-sandbox', id: dead.id, changed: true }] }
  return { actions: [{ do: 'create-sandbox', attempt: memory.sandboxAttempt }] }
}

function planInit(view: PodView, sandbox: PodSandbox): { readonly plans: PodPlan[]; readonly complete: boolean } {
  const plans: PodPlan[] = []
  const mainsBegan = podContainers(view.pod).some(
    ({ kind, spec }) => kind === 'main' && newestOf(view, spec.name)?.sandboxId === sandbox.id,
  )
  for (const container of podContainers(view.pod)) {
    const newest = newestOf(view, container.spec.name)
    const here = newest?.sandboxId === sandbox.id ? newest : undefined
    if (container.kind === 'init' && !mainsBegan && !(here?.state === 'exited' && here.exitCode === 0)) {
      plans.push(planRun(view, container, sandbox))
      return { plans, complete: false }
    }
    if (container.kind !== 'sidecar') continue
    plans.push(planRun(view, container, sandbox))
    if (!mainsBegan && !(here && isStarted(container, here, view.memory))) return { plans, complete: false }
  }
  return { plans, complete: true }
}

/** One container on its own: start it, let it run, stop it because it must be replaced, or wait for its back-off. */
function planRun(view: PodView, container: PodContainer, sandbox: PodSandbox): PodPlan {
  const { name } = container.spec
  const newest = newestOf(view, name)
  if (isRunning(newest)) return planChange(view, container, newest)
  if (newest?.state === 'created')
    return { actions: view.memory.busy.has(STARTING + name) ? [] : [{ do: 'remove-container', id: newest.id }] }
  // Init containers run once in every sandbox.
  const isNextRun = container.kind === 'init' && newest?.sandboxId !== sandbox.id
  if (hasEnded(view, container) && !isNextRun) return { actions: [] }
  const readyAtMs = Math.max(restartAtMs(container.spec, newest), view.memory.failures.get(name)?.retryAtMs ?? 0)
  if (readyAtMs > view.nowMs) return { actions: [], wakeAtMs: readyAtMs }
  const granted = { ...container, spec: { ...container.spec, resources: allocatedOf(view, container) } }
  const restartDelayMs = nextRestartDelayMs(container.spec, newest)
  const attempt = nextAttempt(view, name, newest)
  const where = { id: sandbox.id, ips: sandbox.ips }
  return { actions: [{ do: 'start-container', container: granted, attempt, sandbox: where, restartDelayMs }] }
}

/** Counts on from the API's status when the runtime has lost earlier instances. */
function nextAttempt({ pod }: PodView, name: string, newest: ContainerStatus | undefined): number {
  if (newest) return newest.attempt + 1
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
  const known = statuses.find((status) => status.name === name)
  return known?.containerID ? known.restartCount + 1 : 0
}

/** A running container is stopped to be made anew, given other resources, or left alone. */
function planChange(view: PodView, container: PodContainer, running: ContainerStatus): PodPlan {
  const stop = (message: string, replaced?: boolean): PodPlan => {
    const graceSeconds = probeGrace(view, container, running) ?? graceOf(view.pod)
    return { actions: [{ do: 'stop-container', id: running.id, container, graceSeconds, message, replaced }] }
  }
  const failure = failureOf(view, container, running)
  if (failure !== undefined) return stop(failure)
  const { name } = container.spec
  const { hash } = running.annotations
  if (container.kind !== 'ephemeral' && hash !== undefined && hash !== specHash(container.spec))
    return stop(`Container ${name} definition changed, will be restarted`, true)
  const step = resizeStep(view, container, running)
  if (step === 'restart') return stop(`Container ${name} resize requires restart, will be restarted`, true)
  return { actions: step === 'update' ? [{ do: 'resize-container', id: running.id, container }] : [] }
}

function failureOf({ pod, memory }: PodView, container: PodContainer, running: ContainerStatus): string | undefined {
  const probes = memory.probes.get(running.id)
  if (memory.hooks.get(running.id) === 'failed') return 'FailedPostStartHook'
  const failed = probes?.startup === false ? 'startup' : probes?.liveness === false ? 'liveness' : undefined
  if (failed === undefined) return undefined
  const restarts = shouldRestart(pod, container, KILLED_EXIT_CODE)
  return `Container ${container.spec.name} failed ${failed} probe${restarts ? ', will be restarted' : ''}`
}

/** A probe may bring its own grace period. */
function probeGrace({ memory }: PodView, { spec }: PodContainer, running: ContainerStatus): number | undefined {
  const probes = memory.probes.get(running.id)
  if (probes?.startup === false) return spec.startupProbe?.terminationGracePeriodSeconds
  return probes?.liveness === false ? spec.livenessProbe?.terminationGracePeriodSeconds : undefined
}

/** Of each container the newest instance stays, and the one before for `logs --previous`. */
function planLeftovers(view: PodView): readonly PodAction[] {
  const names = new Set(view.containers.map(({ name }) => name))
  return [...names].flatMap((name) =>
    instancesOf(view, name)
      .slice(2)
      .filter((instance) => !isRunning(instance))
      .map(({ id }): PodAction => ({ do: 'remove-container', id })),
  )
}

// ---- ending

function planEnd(view: PodView): PodPlan {
  const plan = planShutdown(view, endingGrace(view))
  if (plan.actions.length > 0 || !isQuiet(view)) return plan
  if (view.pod.metadata.deletionTimestamp || view.memory.objectGone) return { actions: [{ do: 'finish' }] }
  return releaseVolumes(view)
}

function planFinished(view: PodView): PodPlan {
  const plan = planShutdown(view, { graceSeconds: graceOf(view.pod) })
  return plan.actions.length > 0 || !isQuiet(view) ? plan : releaseVolumes(view)
}

function releaseVolumes({ memory }: PodView): PodPlan {
  return { actions: memory.volumesReady ? [{ do: 'release-volumes' }] : [] }
}

/** Nothing runs, and nothing is about to. */
function isQuiet({ containers, sandboxes, memory }: PodView): boolean {
  const beginning = [...memory.busy].some((task) => task.startsWith(STARTING) || task === SANDBOX || task === PREPARING)
  return !beginning && sandboxes.length === 0 && !containers.some(isRunning)
}

interface Grace {
  readonly graceSeconds: number
  readonly untilMs?: number | undefined
}

/** What is left of the grace period. A period of 0 says nothing about how to stop: the spec's holds. */
function endingGrace({ memory, pod, nowMs }: PodView): Grace {
  const graceSeconds = memory.ending?.graceSeconds || graceOf(pod)
  const startedAtMs = memory.ending?.startedAtMs ?? nowMs
  const elapsedSeconds = Math.floor((nowMs - startedAtMs) / 1000)
  return {
    graceSeconds: Math.max(GRACE_SECONDS_MIN, graceSeconds - elapsedSeconds),
    untilMs: startedAtMs + graceSeconds * 1000,
  }
}

/** Main containers first; sidecars when those have ended, the last one first; then the sandbox. */
function planShutdown(view: PodView, grace: Grace): PodPlan {
  const byName = new Map(podContainers(view.pod).map((container) => [container.spec.name, container]))
  const running = view.containers.filter(isRunning)
  const isSidecar = ({ name }: ContainerStatus) => byName.get(name)?.kind === 'sidecar'
  const others = running.filter((instance) => !isSidecar(instance))
  const order = [...byName.keys()]
  const sidecars = running.filter(isSidecar).sort((left, right) => order.indexOf(right.name) - order.indexOf(left.name))
  const next = others.length > 0 ? others : sidecars.slice(0, 1)
  if (next.length > 0) {
    return {
      actions: next.map(({ id, name }) => ({
        do: 'stop-container',
        id,
        container: byName.get(name),
        ...grace,
        message: `Stopping container ${name}`,
      })),
    }
  }
  if ([...view.memory.busy].some((task) => task.startsWith(STARTING))) return { actions: [] }
  return { actions: view.sandboxes.map(({ id }) => ({ do: 'remove-sandbox', id, changed: false })) }
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}
