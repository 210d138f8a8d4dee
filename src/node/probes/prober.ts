/**
 * Startup, readiness and liveness of running containers: one timer per probe, results by container id, a call when a
 * result changes. Liveness and readiness wait for the startup probe. Thresholds and timing: the Probe type of core/v1.
 */

import type { Container, EphemeralContainer, Pod, Probe } from '../../apis/core/types.gen.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import { deadline, orAborted } from '../../base/deadline.ts'
import { messageOf } from '../../base/error-text.ts'
import { type Random, randomInteger } from '../../base/random.ts'
import type { EventRecorder } from '../../client/events.ts'
import { fieldPathOf } from '../execute.ts'
import { type PodContainer, type ProbeResults, podContainers } from '../pod-view.ts'
import type { ContainerStatus } from '../runtime/runtime.ts'
import { requestOf } from './http.ts'

export type ProbeKind = 'startup' | 'readiness' | 'liveness'

export interface ProbeTarget {
  readonly pod: Pod
  readonly ip: string
  readonly container: Container | EphemeralContainer
  readonly containerId: string
  /** For events. */
  readonly fieldPath: string
}

/** One look. `ok: false` carries the text for the event; a throw counts as a failure too. */
export type ProbeRunner = (
  probe: Probe,
  target: ProbeTarget,
  signal: AbortSignal,
) => Promise<{ readonly ok: boolean; readonly output: string }>

export interface ProberParts {
  readonly run: ProbeRunner
  readonly clock: Clock
  readonly random: Random
  readonly events: EventRecorder
  /** A result of this pod changed. */
  readonly onChange: (podUid: string) => void
}

interface Running {
  readonly podUid: string
  readonly timers: Map<ProbeKind, Timer>
  /** What is still asked for. */
  readonly kinds: Set<ProbeKind>
  readonly stop: AbortController
  results: ProbeResults
}

const KINDS: readonly ProbeKind[] = ['startup', 'readiness', 'liveness']
/** A probe that does not say fails after this many failures in a row, and succeeds after one success. */
const FAILURES_DEFAULT = 3
const SUCCESSES_DEFAULT = 1
const PERIOD_SECONDS_DEFAULT = 10
const TIMEOUT_SECONDS_DEFAULT = 1

export class Prober {
  readonly #parts: ProberParts
  readonly #running = new Map<string, Running>()

  constructor(parts: ProberParts) {
    this.#parts = parts
  }

  results(containerId: string): ProbeResults | undefined {
    return this.#running.get(containerId)?.results
  }

  /** Probes exactly these containers of the pod from now on; while it ends, only whether they are ready. */
  watch(pod: Pod, ip: string | undefined, containers: readonly ContainerStatus[], isEnding = false): void {
    const podUid = pod.metadata.uid ?? ''
    const wanted = new Set(containers.map(({ id }) => id))
    for (const [id, running] of this.#running) if (running.podUid === podUid && !wanted.has(id)) this.#end(id, running)
    if (isEnding) {
      for (const running of this.#running.values()) if (running.podUid === podUid) keepOnly(running, 'readiness')
      return
    }
    for (const instance of containers) {
      const container = podContainers(pod).find(({ spec }) => spec.name === instance.name)
      if (container && ip !== undefined && !this.#running.has(instance.id)) this.#begin(pod, ip, container, instance)
    }
  }

  stop(podUid: string): void {
    for (const [id, running] of this.#running) if (running.podUid === podUid) this.#end(id, running)
  }

  #end(id: string, running: Running): void {
    running.stop.abort()
    for (const timer of running.timers.values()) timer.cancel()
    this.#running.delete(id)
  }

  #begin(pod: Pod, ip: string, container: PodContainer, instance: ContainerStatus): void {
    const { spec } = container
    const podUid = pod.metadata.uid ?? ''
    const running: Running = {
      podUid,
      timers: new Map(),
      kinds: new Set(KINDS),
      stop: new AbortController(),
      results: adopted(pod, instance),
    }
    this.#running.set(instance.id, running)
    const target = { pod, ip, container: spec, containerId: instance.id, ...fieldPathOf(container) }
    const started = instance.startedAtMs ?? this.#parts.clock.now()
    for (const kind of KINDS) {
      const probe = probeOf(spec, kind)
      if (probe)
        this.#schedule(running, kind, probe, target, this.#firstDelayMs(probe, started), { successes: 0, failures: 0 })
    }
  }

  /** The initial delay counts from the container's start; what is overdue after an adoption is spread over a period. */
  #firstDelayMs(probe: Probe, startedAtMs: number): number {
    const { clock, random } = this.#parts
    const dueMs = startedAtMs + (probe.initialDelaySeconds ?? 0) * 1000 - clock.now()
    return dueMs > -periodMs(probe) ? Math.max(0, dueMs) : randomInteger(random, periodMs(probe))
  }

  #schedule(
    running: Running,
    kind: ProbeKind,
    probe: Probe,
    target: ProbeTarget,
    delayMs: number,
    streak: Streak,
  ): void {
    if (running.stop.signal.aborted || !running.kinds.has(kind)) return
    const look = async () => {
      const next = this.#mayRun(running, kind, target) ? await this.#look(running, kind, probe, target, streak) : streak
      if (kind === 'startup' && running.results.startup === true) return
      this.#schedule(running, kind, probe, target, periodMs(probe), next)
    }
    running.timers.set(
      kind,
      this.#parts.clock.after(delayMs, () => void look()),
    )
  }

  #mayRun({ results }: Running, kind: ProbeKind, { container }: ProbeTarget): boolean {
    return kind === 'startup' || !container.startupProbe || results.startup === true
  }

  async #look(running: Running, kind: ProbeKind, probe: Probe, target: ProbeTarget, streak: Streak): Promise<Streak> {
    const { ok, output } = await this.#once(probe, target, running.stop.signal)
    if (running.stop.signal.aborted || !running.kinds.has(kind)) return streak
    if (!ok) {
      const name = `${kind[0]?.toUpperCase()}${kind.slice(1)}`
      const { fieldPath } = target
      this.#parts.events.event(target.pod, 'Warning', 'Unhealthy', `${name} probe failed: ${output}`, { fieldPath })
    }
    const next = ok ? { successes: streak.successes + 1, failures: 0 } : { successes: 0, failures: streak.failures + 1 }
    const decided =
      next.successes >= (probe.successThreshold ?? SUCCESSES_DEFAULT) ||
      next.failures >= (probe.failureThreshold ?? FAILURES_DEFAULT)
    if (decided && running.results[kind] !== ok) {
      running.results = { ...running.results, [kind]: ok }
      this.#parts.onChange(running.podUid)
    }
    return next
  }

  async #once(
    probe: Probe,
    target: ProbeTarget,
    signal: AbortSignal,
  ): Promise<{ readonly ok: boolean; readonly output: string }> {
    using limit = deadline(this.#parts.clock, (probe.timeoutSeconds ?? TIMEOUT_SECONDS_DEFAULT) * 1000, signal)
    try {
      return await orAborted(this.#parts.run(probe, target, limit.signal), limit.signal)
    } catch (error) {
      return { ok: false, output: limit.signal.aborted ? timeoutText(probe, target) : messageOf(error) }
    }
  }
}

function timeoutText({ exec, httpGet, grpc, timeoutSeconds }: Probe, { container, ip }: ProbeTarget): string {
  const limit = `${timeoutSeconds ?? TIMEOUT_SECONDS_DEFAULT}s`
  if (exec) return `command timed out: ${JSON.stringify((exec.command ?? []).join(' '))} timed out after ${limit}`
  if (grpc) return `timeout: health rpc did not complete within ${limit}`
  if (!httpGet) return 'i/o timeout'
  const { scheme, host, port, path } = requestOf(httpGet, ip, container)
  const url = `${scheme.toLowerCase()}://${host}:${port}${path}`
  return `Get ${JSON.stringify(url)}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)`
}

function keepOnly({ kinds, timers }: Running, kept: ProbeKind): void {
  for (const kind of [...kinds]) {
    if (kind === kept) continue
    kinds.delete(kind)
    timers.get(kind)?.cancel()
    timers.delete(kind)
  }
}

interface Streak {
  readonly successes: number
  readonly failures: number
}

function periodMs({ periodSeconds }: Probe): number {
  return (periodSeconds || PERIOD_SECONDS_DEFAULT) * 1000
}

function probeOf(container: Container | EphemeralContainer, kind: ProbeKind): Probe | undefined {
  if (kind === 'startup') return container.startupProbe
  return kind === 'readiness' ? container.readinessProbe : container.livenessProbe
}

/** A container that was ready before the agent was restarted stays so until a probe says otherwise. */
function adopted({ status }: Pod, instance: ContainerStatus): ProbeResults {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])]
  const known = all.find(({ name, containerID }) => name === instance.name && containerID?.endsWith(instance.id))
  if (!known) return {}
  return { startup: known.started || undefined, readiness: known.ready || undefined }
}
