/** Has an image on the machine before a container is made of it: the pull policy, back-off of failed pulls, events. */

import type { Pod } from '../../apis/core/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import { orAborted } from '../../base/deadline.ts'
import { messageOf } from '../../base/error-text.ts'
import { LruMap } from '../../base/lru.ts'
import type { EventOptions, EventRecorder } from '../../client/events.ts'
import { fieldPathOf } from '../execute.ts'
import type { PodContainer } from '../pod-view.ts'
import { type ContainerRuntime, type ImageStatus, RuntimeError } from '../runtime/runtime.ts'

export interface PullCredentials {
  readonly username: string
  readonly password: string
}

export interface ImagePullerParts {
  readonly runtime: ContainerRuntime
  readonly events: EventRecorder
  readonly clock: Clock
  readonly pullCredentials: (pod: Pod, image: string) => PullCredentials | undefined
}

export interface ImagePuller {
  /** Throws `RuntimeError` with the waiting reason that the container's status shows. */
  ensure(pod: Pod, container: PodContainer, signal: AbortSignal): Promise<ImageStatus>
  /** When a pull that has failed may be tried again; 0 when none has. */
  retryAtMs(pod: Pod, container: PodContainer): number
}

interface Failed {
  readonly delayMs: number
  readonly retryAtMs: number
  readonly reason: string
  readonly message: string
}

/** As upstream: 10 s after the first failure, doubling to 5 minutes. */
const DELAY_MS = 10_000
const DELAY_MS_MAX = 300_000
/** Pods and images whose last pull failed; about 0.5 KB each. */
const FAILED_MAX = 5_000

export function createImagePuller(parts: ImagePullerParts): ImagePuller {
  const failed = new LruMap<string, Failed>(FAILED_MAX)
  return {
    retryAtMs: (pod, container) => failed.get(keyOf(pod, container))?.retryAtMs ?? 0,
    async ensure(pod, container, signal) {
      const say = sayer(parts.events, pod, container)
      const { image = '', imagePullPolicy } = container.spec
      const present = await lookUp(parts, image, say)
      if (present && imagePullPolicy !== 'Always') return alreadyPresent(present, image, say)
      if (imagePullPolicy === 'Never') {
        const message = `Container image "${image}" is not present with pull policy of Never`
        say('Warning', 'ErrImageNeverPull', message)
        throw new RuntimeError('ErrImageNeverPull', message)
      }
      const key = keyOf(pod, container)
      const before = failed.get(key)
      if (before && before.retryAtMs > parts.clock.now()) {
        const message = `Back-off pulling image "${image}"`
        say('Normal', 'BackOff', message)
        throw new RuntimeError('ImagePullBackOff', `${message}: ${before.reason}: ${before.message}`)
      }
      try {
        const pulled = await pull(parts, pod, image, say, signal)
        failed.delete(key)
        return pulled
      } catch (error) {
        // A policy of Always asks the registry; an image that was made on this machine has none to ask.
        if (present?.digests.length === 0 && !signal.aborted) return alreadyPresent(present, image, say)
        const message = messageOf(error)
        say('Warning', 'Failed', `Failed to pull image "${image}": ${message}`)
        const reason = error instanceof RuntimeError ? error.reason : 'ErrImagePull'
        const delayMs = Math.min((before?.delayMs ?? DELAY_MS / 2) * 2, DELAY_MS_MAX)
        failed.set(key, { delayMs, retryAtMs: parts.clock.now() + delayMs, reason, message })
        throw new RuntimeError(reason, message)
      }
    },
  }
}

function keyOf({ metadata }: Pod, { spec }: PodContainer): string {
  return `${metadata.uid}_${spec.image}`
}

type Say = (type: 'Normal' | 'Warning', reason: string, message: string) => void

function sayer(events: EventRecorder, pod: Pod, container: PodContainer): Say {
  const where: EventOptions = fieldPathOf(container)
  return (type, reason, message) => events.event(pod, type, reason, message, where)
}

async function lookUp({ runtime }: ImagePullerParts, image: string, say: Say): Promise<ImageStatus | undefined> {
  try {
    return await runtime.image(image)
  } catch (error) {
    const message = messageOf(error)
    const isName = error instanceof RuntimeError && error.reason === 'InvalidImageName'
    const what = isName ? `Failed to apply default image tag "${image}"` : `Failed to inspect image "${image}"`
    say('Warning', 'InspectFailed', `${what}: ${message}`)
    throw new RuntimeError(isName ? 'InvalidImageName' : 'ImageInspectError', `${what}: ${message}`)
  }
}

function alreadyPresent(present: ImageStatus, image: string, say: Say): ImageStatus {
  say('Normal', 'Pulled', `Container image "${image}" already present on machine and can be accessed by the pod`)
  return present
}

async function pull(
  { runtime, clock, pullCredentials }: ImagePullerParts,
  pod: Pod,
  image: string,
  say: Say,
  signal: AbortSignal,
): Promise<ImageStatus> {
  const startedMs = clock.monotonic()
  say('Normal', 'Pulling', `Pulling image "${image}"`)
  const pulled = await orAborted(runtime.pullImage(image, pullCredentials(pod, image)), signal)
  const took = durationText(clock.monotonic() - startedMs)
  const size = `Image size: ${pulled.sizeBytes} bytes.`
  say('Normal', 'Pulled', `Successfully pulled image "${image}" in ${took} (${took} including waiting). ${size}`)
  return pulled
}

/** Go's spelling: `87ms`, `1.5s`, `2m0.25s`. */
export function durationText(ms: number): string {
  const whole = Math.trunc(ms)
  if (whole < 1000) return whole === 0 ? '0s' : `${whole}ms`
  const minutes = Math.floor(whole / 60_000)
  const seconds = `${(whole % 60_000) / 1000}s`
  return minutes === 0 ? seconds : `${minutes}m${seconds}`
}
