/**
 * How long a container waits after its exit before it runs again: at once after the first exit, then 10 s, 20 s, … up to
 * 5 minutes; from the start again once it has run for 10 minutes. Each instance carries its own delay with it, so that
 * the node remembers it across restarts of the agent. Pure.
 */

import type { Container, EphemeralContainer } from '../apis/core/types.gen.ts'
import type { ContainerStatus } from './runtime/runtime.ts'
import { specHash } from './spec-hash.ts'

const DELAY_MS = 10_000
const DELAY_MS_MAX = 300_000
const RESET_MS = 600_000

/** The annotation of an instance: what its successor waits after its exit. */
export const RESTART_DELAY = 'restartDelayMs'

type Definition = Container | EphemeralContainer

/** The earliest time the successor of this instance may start. 0: at once. */
export function restartAtMs(definition: Definition, newest: ContainerStatus | undefined): number {
  const delayMs = restartDelayMs(definition, newest)
  return newest === undefined || delayMs === 0 ? 0 : (newest.finishedAtMs ?? newest.createdAtMs) + delayMs
}

/** What the successor of this instance waits for, after the instance's exit. */
export function restartDelayMs(definition: Definition, newest: ContainerStatus | undefined): number {
  if (newest?.state !== 'exited' || startsOver(definition, newest)) return 0
  return ownDelayMs(newest)
}

/** The delay that the successor itself will carry. */
export function nextRestartDelayMs(definition: Definition, newest: ContainerStatus | undefined): number {
  if (newest === undefined) return 0
  const delayMs = ownDelayMs(newest)
  return delayMs === 0 || startsOver(definition, newest) ? DELAY_MS : Math.min(delayMs * 2, DELAY_MS_MAX)
}

function ownDelayMs({ annotations }: ContainerStatus): number {
  const delayMs = Number(annotations[RESTART_DELAY] ?? 0)
  return Number.isFinite(delayMs) ? delayMs : 0
}

function startsOver(definition: Definition, { annotations, startedAtMs, finishedAtMs }: ContainerStatus): boolean {
  if (annotations.hash !== undefined && annotations.hash !== specHash(definition)) return true
  // A process that could not be started has no time of its start.
  return (finishedAtMs ?? 0) - (startedAtMs || finishedAtMs || 0) >= RESET_MS
}
