/** Pure: what the engine reports about sandboxes and containers, in the contract's words. */

import type { ContainerInspectInfo } from 'dockerode'
import type { Sharing } from './container-config.ts'
import { labels } from './docker-engine.ts'
import type { ContainerStatus, PodIdentity } from './runtime.ts'

type Labels = Readonly<Record<string, string>>

export function podOf(from: Labels): PodIdentity {
  return {
    uid: from[labels.podUid] ?? '',
    namespace: from[labels.podNamespace] ?? '',
    name: from[labels.podName] ?? '',
  }
}

export function attemptOf(from: Labels): number {
  return Number(from[labels.attempt] ?? '0')
}

export function sharingOf(from: Labels): Sharing {
  const sharing = jsonObject(from[labels.sharing])
  return {
    hostPid: sharing.hostPid === true,
    hostIpc: sharing.hostIpc === true,
    shareProcessNamespace: sharing.shareProcessNamespace === true,
  }
}

/** What upstream reports for a container whose process could not be started. */
const START_ERROR_EXIT_CODE = 128

/** `outOfMemory`: one of its processes was killed for its memory, whatever the engine notes of it. */
export function statusOfInspected(info: ContainerInspectInfo, outOfMemory: boolean): ContainerStatus {
  const from = info.Config.Labels
  const { State } = info
  const createdAtMs = Date.parse(info.Created)
  const base = {
    id: info.Id,
    sandboxId: from[labels.sandbox] ?? '',
    pod: podOf(from),
    name: from[labels.container] ?? '',
    attempt: attemptOf(from),
    image: from[labels.image] ?? info.Config.Image,
    imageId: info.Image,
    createdAtMs,
    annotations: annotationsOf(from),
  }
  const startedAtMs = timeOf(State.StartedAt)
  if (State.Running) return { ...base, state: 'running', startedAtMs }
  if (startedAtMs === undefined && State.Error !== '') return { ...base, ...startError(State.Error, createdAtMs) }
  if (State.Status === 'created') return { ...base, state: 'created' }
  // The engine notes the start of a short-lived process after its end.
  const endedAtMs = timeOf(State.FinishedAt) ?? createdAtMs
  const finishedAtMs = Math.max(endedAtMs, startedAtMs ?? 0)
  return {
    ...base,
    state: 'exited',
    startedAtMs: startedAtMs ?? finishedAtMs,
    finishedAtMs,
    ...outcomeOf(State, outOfMemory),
  }
}

function startError(message: string, createdAtMs: number): Partial<ContainerStatus> & Pick<ContainerStatus, 'state'> {
  return {
    state: 'exited',
    exitCode: START_ERROR_EXIT_CODE,
    reason: 'StartError',
    message,
    startedAtMs: 0,
    finishedAtMs: createdAtMs,
  }
}

function outcomeOf(state: ContainerInspectInfo['State'], outOfMemory: boolean): Partial<ContainerStatus> {
  const { ExitCode: exitCode, OOMKilled, Error: error } = state
  const reason = OOMKilled || outOfMemory ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error'
  return { exitCode, reason, ...(error !== '' && { message: error }) }
}

/** The engine's zero time is the year 1. */
function timeOf(text: string): number | undefined {
  const timeMs = Date.parse(text)
  return Number.isNaN(timeMs) || timeMs <= 0 ? undefined : timeMs
}

function annotationsOf(from: Labels): Readonly<Record<string, string>> {
  return jsonObject(from[labels.annotations]) as Record<string, string>
}

/** Labels are ours, but anyone with access to the engine can write them: what is no object is empty. */
function jsonObject(text: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
