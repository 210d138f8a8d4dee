/** postStart and preStop: runs a handler in or against a container. */

import { PassThrough } from 'node:stream'
import type { LifecycleHandler, Pod } from '../apis/core/types.gen.ts'
import type { Clock } from '../base/clock.ts'
import { deadline, orAborted } from '../base/deadline.ts'
import { messageOf } from '../base/error-text.ts'
import type { PodContainer } from './pod-view.ts'
import { type HttpRequest, requestOf } from './probes/http.ts'
import type { ContainerRuntime } from './runtime/runtime.ts'

export interface HookRunner {
  /** Undefined: it succeeded. Else why not, for the event. Never throws. `limitMs`: given up after this time. */
  run(
    pod: Pod,
    container: PodContainer,
    containerId: string,
    handler: LifecycleHandler,
    limitMs?: number,
  ): Promise<string | undefined>
}

export interface HookRunnerParts {
  readonly runtime: ContainerRuntime
  readonly clock: Clock
  /** Sends a request from the node; rejects on no answer. */
  readonly http: (
    request: HttpRequest,
    signal: AbortSignal,
  ) => Promise<{ readonly status: number; readonly body: string }>
}

/** For handlers without a limit of their own: nothing waits for ever. */
const HOOK_MS_MAX = 24 * 60 * 60 * 1000

export function createHookRunner(parts: HookRunnerParts): HookRunner {
  return {
    async run(pod, container, containerId, handler, limitMs = HOOK_MS_MAX) {
      using limit = deadline(parts.clock, limitMs)
      try {
        return await orAborted(perform(parts, pod, container, containerId, handler, limit.signal), limit.signal)
      } catch (error) {
        return messageOf(error)
      }
    },
  }
}

async function perform(
  { runtime, clock, http }: HookRunnerParts,
  pod: Pod,
  container: PodContainer,
  containerId: string,
  { exec, httpGet, sleep }: LifecycleHandler,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (sleep) await clock.sleep(sleep.seconds * 1000, signal)
  if (exec) {
    const output = new PassThrough()
    output.resume()
    const code = await runtime.exec(
      containerId,
      exec.command ?? [],
      { stdout: output, stderr: output },
      { tty: false, signal },
    )
    return code === 0 ? undefined : `command '${(exec.command ?? []).join(' ')}' exited with ${code}`
  }
  if (httpGet) {
    const { status } = await http(requestOf(httpGet, await addressOf(runtime, pod), container.spec), signal)
    return status >= 200 && status < 400 ? undefined : `HTTP request returned error status ${status}`
  }
  return undefined
}

async function addressOf(runtime: ContainerRuntime, pod: Pod): Promise<string> {
  const [sandbox] = await runtime.sandboxes(pod.metadata.uid)
  return sandbox?.ips[0] ?? pod.status?.hostIP ?? '127.0.0.1'
}
