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
  type ContainerKind,
  type Ending,
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
import { specHash } from './spec-hash.ts'

export type PodAction =
  | { readonly do: 'prepare-volumes' }
  | { readonly do: 'create-sandbox'; readonly attempt: number }
  | { readonly do: 'remove-sandbox'; readonly id: string }
  | {
      readonly do: 'start-container'
      readonly container: PodContainer
      readonly attempt: number
      readonly sandboxId: string
    }
  | {
      readonly do: 'stop-container'
      readonly id: string
      readonly container: PodContainer | undefined
      readonly graceSeconds: number
      /** For the `Killing` event. */
      readonly message: string
    }
  | { readonly do: 'remove-container'; readonly id: string }
  | { readonly do: 'end'; readonly ending: Ending }
  /** Nothing of the pod runs any more: free its volumes; if the object is being deleted, let it go. */
  | { readonly do: 'finish' }

export interface PodPlan {
  readonly actions: readonly PodAction[]
  /** Look again at this time although nothing may have happened. */
  readonly wakeAtMs?: number | undefined
}

/** Grace of the last resort, in seconds: less than this gives a process no chance to handle its signal. */
const GRACE_SECONDS_MIN = 2

/** The name of the task an action starts: at most one task of a name runs at a time. */
export function taskOf(action: PodAction): string {
  switch (action.do) {
    case 'start-container':
      return `start ${action.container.spec.name}`
    case 'stop-container':
    case 'remove-container':
      return `${action.do} ${action.id}`
    case 'create-sandbox':
    case 'remove-sandbox':
      return 'sandbox'
    default:
      return action.do
  }
}

export function planPod(view: PodView): PodPlan {
  const plan = decide(view)
  return { ...plan, actions: plan.actions.filter((action) => !view.memory.busy.has(taskOf(action))) }
}

function decide(view: PodView): PodPlan {
  if (view.memory.ending || view.pod.metadata.deletionTimestamp) return planEnd(view)
  const deadlineMs = deadlineOf(view.pod)
  if (deadlineMs !== undefined && deadlineMs <= view.nowMs)
    return { actions: [{ do: 'end', ending: deadlineExceeded(view) }] }
  if (isFinished(view)) return planShutdown(view, () => graceOf(view.pod), 'Stopping container')
  const plan = planStart(view)
  return { actions: [...plan.actions, ...planLeftovers(view)], wakeAtMs: earliest([plan.wakeAtMs, deadlineMs]) }
}

function deadlineOf({ spec, status }: Pod): number | undefined {
  const startMs = status?.startTime ? parseTime(status.startTime) : undefined
  return startMs === undefined || spec?.activeDeadlineSeconds === undefined
    ? undefined
    : startMs + spec.activeDeadlineSeconds * 1000
}

function deadlineExceeded({ pod, nowMs }: PodView): Ending {
  return {
    reason: 'DeadlineExceeded',
    message: 'Pod was active on the node longer than the specified deadline',
    phase: 'Failed',
    startedAtMs: nowMs,
    graceSeconds: graceOf(pod),
  }
}

function graceOf({ spec }: Pod): number {
  return spec?.terminationGracePeriodSeconds ?? 30
}

/** Every main container has ended for good, or an init container has failed for good; or it was so once. */
export function isFinished(view: PodView): boolean {
  const { phase } = view.pod.status ?? {}
  if (phase === 'Succeeded' || phase === 'Failed') return true
  const containers = podContainers(view.pod)
  const ended = (container: PodContainer) => {
    const newest = newestOf(view, container.spec.name)
    return newest?.state === 'exited' && !shouldRestart(view.pod, container, newest.exitCode ?? 0)
  }
  const mains = containers.filter(({ kind }) => kind === 'main')
  if (mains.every(ended)) return true
  return containers.some(
    (container) => container.kind === 'init' && ended(container) && newestOf(view, container.spec.name)?.exitCode !== 0,
  )
}

// ---- starting

function planStart(view: PodView): PodPlan {
  if (!view.memory.volumesReady) return { actions: [{ do: 'prepare-volumes' }] }
  const sandbox = sandboxOf(view)
  if (!sandbox) return planSandbox(view)
  const { plans, complete } = planInit(view, sandbox.id)
  if (complete)
    for (const container of podContainers(view.pod))
      if (container.kind === 'main') plans.push(planRun(view, container, sandbox.id))
  for (const container of podContainers(view.pod)) {
    if (container.kind === 'ephemeral' && instancesOf(view, container.spec.name).length === 0)
      plans.push(planRun(view, container, sandbox.id))
  }
  return { actions: plans.flatMap(({ actions }) => actions), wakeAtMs: earliest(plans.map(({ wakeAtMs }) => wakeAtMs)) }
}

/** A dead sandbox goes, with what is left in it, before the next one comes. */
function planSandbox({ sandboxes }: PodView): PodPlan {
  const [dead] = sandboxes
  if (dead) return { actions: [{ do: 'remove-sandbox', id: dead.id }] }
  return { actions: [{ do: 'create-sandbox', attempt: 0 }] }
}

function planInit(view: PodView, sandboxId: string): { readonly plans: PodPlan[]; readonly complete: boolean } {
  const plans: PodPlan[] = []
  const mainsBegan = podContainers(view.pod).some(
    ({ kind, spec }) => kind === 'main' && newestOf(view, spec.name)?.sandboxId === sandboxId,
  )
  for (const container of podContainers(view.pod)) {
    const newest = newestOf(view, container.spec.name)
    const here = newest?.sandboxId === sandboxId ? newest : undefined
    if (container.kind === 'init' && !mainsBegan && !(here?.state === 'exited' && here.exitCode === 0)) {
      plans.push(planRun(view, container, sandboxId))
      return { plans, complete: false }
    }
    if (container.kind !== 'sidecar') continue
    plans.push(planRun(view, container, sandboxId))
    if (!mainsBegan && !(here && isStarted(container, here, view.memory))) return { plans, complete: false }
  }
  return { plans, complete: true }
}

/** One container on its own: start it, let it run, stop it because it must be replaced, or wait for its back-off. */
function planRun(view: PodView, container: PodContainer, sandboxId: string): PodPlan {
  const { name } = container.spec
  const newest = newestOf(view, name)
  if (isRunning(newest)) return planReplacement(view, container, newest)
  if (newest?.state === 'created')
    return { actions: view.memory.busy.has(`start ${name}`) ? [] : [{ do: 'remove-container', id: newest.id }] }
  if (
    newest?.state === 'exited' &&
    newest.sandboxId === sandboxId &&
    !shouldRestart(view.pod, container, newest.exitCode ?? 0)
  )
    return { actions: [] }
  const readyAtMs = Math.max(restartAtMs(view, name, newest), view.memory.failures.get(name)?.retryAtMs ?? 0)
  if (readyAtMs > view.nowMs) return { actions: [], wakeAtMs: readyAtMs }
  return { actions: [{ do: 'start-container', container, attempt: nextAttempt(view, name, newest), sandboxId }] }
}

/** The earliest time a container may run again after its last exit. */
export function restartAtMs(view: PodView, name: string, newest: ContainerStatus | undefined): number {
  if (newest?.state !== 'exited') return 0
  return (newest.finishedAtMs ?? 0) + (view.memory.restartDelaysMs.get(name) ?? 0)
}

/** Counts on from the API's status when the runtime has lost earlier instances. */
function nextAttempt({ pod }: PodView, name: string, newest: ContainerStatus | undefined): number {
  if (newest) return newest.attempt + 1
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
  const known = statuses.find((status) => status.name === name)
  return known?.containerID ? known.restartCount + 1 : 0
}

function planReplacement(view: PodView, container: PodContainer, running: ContainerStatus): PodPlan {
  const message = replacementReason(view, container, running)
  if (message === undefined) return { actions: [] }
  const graceSeconds = probeGrace(view, container, running) ?? graceOf(view.pod)
  return { actions: [{ do: 'stop-container', id: running.id, container, graceSeconds, message }] }
}

function replacementReason({ memory }: PodView, container: PodContainer, running: ContainerStatus): string | undefined {
  const { name } = container.spec
  const probes = memory.probes.get(running.id)
  if (memory.hooks.get(running.id) === 'failed') return 'FailedPostStartHook'
  if (probes?.startup === false) return `Container ${name} failed startup probe, will be restarted`
  if (probes?.liveness === false) return `Container ${name} failed liveness probe, will be restarted`
  if (container.kind !== 'ephemeral' && running.annotations.hash !== specHash(container.spec))
    return `Container ${name} definition changed, will be restarted`
  return undefined
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
  const plan = planShutdown(view, () => remainingGrace(view), 'Stopping container')
  if (plan.actions.length > 0 || view.containers.some(isRunning) || view.sandboxes.length > 0) return plan
  return { actions: [{ do: 'finish' }] }
}

function remainingGrace({ memory, pod, nowMs }: PodView): number {
  const graceSeconds = pod.metadata.deletionGracePeriodSeconds ?? memory.ending?.graceSeconds ?? graceOf(pod)
  const startedAtMs = memory.ending?.startedAtMs ?? nowMs
  return Math.max(GRACE_SECONDS_MIN, graceSeconds - Math.floor((nowMs - startedAtMs) / 1000))
}

/** Main containers first; sidecars when those have ended, the last one first; then the sandbox. */
function planShutdown(view: PodView, grace: () => number, reason: string): PodPlan {
  const byName = new Map(podContainers(view.pod).map((container) => [container.spec.name, container]))
  const running = view.containers.filter(isRunning)
  const isSidecar = ({ name }: ContainerStatus) => byName.get(name)?.kind === ('sidecar' satisfies ContainerKind)
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
        graceSeconds: grace(),
        message: `${reason} ${name}`,
      })),
    }
  }
  const starting = [...view.memory.busy].some((task) => task.startsWith('start '))
  if (starting) return { actions: [] }
  return { actions: view.sandboxes.map(({ id }) => ({ do: 'remove-sandbox', id })) }
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}
