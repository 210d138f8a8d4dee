/**
 * What `kubectl get pods` says about a pod: a word for its state, ready and total containers, restarts.
 * Init containers speak first, in order, until one has neither finished nor (for a sidecar) started; then
 * the main containers, the last one in the list having the first word.
 */

import { humanDuration } from '../../../machinery/meta/time.ts'
import type { Cell, TimedCell } from '../../definition.ts'
import type { Container, ContainerStateTerminated, ContainerStatus, Pod } from '../types.gen.ts'
import { isPodReady, isPodTerminal, isPodTerminating, isRestartableInit, podCondition } from './pod-status.ts'

export interface PodStatusText {
  readonly text: string
  readonly ready: number
  readonly total: number
  readonly restarts: number
  /** When the last container to be restarted had ended; absent when none has. */
  readonly lastRestartMs?: number | undefined
}

interface Tally {
  readonly ready: number
  readonly restarts: number
  readonly lastRestartMs: number
}

const NOTHING: Tally = { ready: 0, restarts: 0, lastRestartMs: 0 }

export function podStatusText(pod: Pod): PodStatusText {
  const inits = pod.spec?.initContainers ?? []
  const init = initText(pod, inits)
  const initialized = podCondition(pod, 'Initialized')?.status === 'True'
  let text = init.text ?? phaseText(pod)
  let tally = init.all
  if (init.text === undefined || initialized) {
    const main = mainText(pod, text, init.sidecars)
    text = main.text
    tally = main.tally
  }
  return {
    text: endingText(pod, text),
    ready: tally.ready,
    total: (pod.spec?.containers ?? []).length + inits.filter(isRestartableInit).length,
    restarts: tally.restarts,
    ...(tally.lastRestartMs > 0 ? { lastRestartMs: tally.lastRestartMs } : {}),
  }
}

export function restartsCell({ restarts, lastRestartMs }: PodStatusText): Cell | TimedCell {
  if (restarts === 0 || lastRestartMs === undefined) return String(restarts)
  return (nowMs) => `${restarts} (${humanDuration(nowMs - lastRestartMs)} ago)`
}

function phaseText(pod: Pod): string {
  if (podCondition(pod, 'PodScheduled')?.reason === 'SchedulingGated') return 'SchedulingGated'
  return pod.status?.reason || pod.status?.phase || ''
}

function endingText(pod: Pod, text: string): string {
  if (!isPodTerminating(pod)) return text
  if (pod.status?.reason === 'NodeLost') return 'Unknown'
  return isPodTerminal(pod) ? text : 'Terminating'
}

/** `text` is absent when every init container is done; `sidecars` counts only those that keep running. */
function initText(pod: Pod, inits: readonly Container[]) {
  let all = NOTHING
  let sidecars = NOTHING
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const sidecar = isRestartableInit(inits.find(({ name }) => name === status.name))
    all = withRestarts(all, status)
    if (sidecar) sidecars = withRestarts(sidecars, status)
    if (status.state?.terminated?.exitCode === 0) continue
    if (sidecar && status.started) {
      if (status.ready) {
        all = { ...all, ready: all.ready + 1 }
        sidecars = { ...sidecars, ready: sidecars.ready + 1 }
      }
      continue
    }
    return { text: unfinishedInitText(status, index, inits.length), all, sidecars }
  }
  return { text: undefined, all, sidecars }
}

function unfinishedInitText(status: ContainerStatus, index: number, total: number): string {
  if (status.state?.terminated) return `Init:${terminatedText(status.state.terminated)}`
  const waiting = status.state?.waiting?.reason
  return waiting && waiting !== 'PodInitializing' ? `Init:${waiting}` : `Init:${index}/${total}`
}

function mainText(pod: Pod, before: string, sidecars: Tally) {
  let text = before
  let tally = sidecars
  let running = false
  for (const status of (pod.status?.containerStatuses ?? []).toReversed()) {
    tally = withRestarts(tally, status)
    if (status.state?.waiting?.reason) text = status.state.waiting.reason
    else if (status.state?.terminated) text = terminatedText(status.state.terminated)
    else if (status.ready && status.state?.running) {
      running = true
      tally = { ...tally, ready: tally.ready + 1 }
    }
  }
  if (text === 'Completed' && running) text = isPodReady(pod) ? 'Running' : 'NotReady'
  return { text, tally }
}

function terminatedText({ reason, signal, exitCode }: ContainerStateTerminated): string {
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`)
}

function withRestarts(tally: Tally, status: ContainerStatus): Tally {
  const finishedAt = status.lastState?.terminated?.finishedAt
  return {
    ...tally,
    restarts: tally.restarts + status.restartCount,
    lastRestartMs: Math.max(tally.lastRestartMs, finishedAt ? Date.parse(finishedAt) : 0),
  }
}
