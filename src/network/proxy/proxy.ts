/**
 * The service proxy of one node: follows services, slices and host ports, and keeps the rules of the node's network
 * namespace in step. One transaction at a time; what changes meanwhile is in the next.
 */

import { pods } from '../../apis/core/pod/definition.ts'
import { services } from '../../apis/core/service/definition.ts'
import { endpointSlices } from '../../apis/discovery/endpoint-slice.ts'
import { type Backoff, backoffMs } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Informers } from '../../client/informers.ts'
import type { NamespaceCommands } from '../pods/namespace-command.ts'
import { type FlowCommands, staleFlows, type UdpFrontends } from './flows.ts'
import { followRoutes, type NodeRoutes } from './node-routes.ts'
import { baseRuleset, type ProxyRanges, type Ruleset } from './ruleset.ts'
import { EMPTY_RULESET, rulesetChange } from './ruleset-change.ts'

export interface ProxyParts {
  readonly informers: Informers
  readonly commands: Pick<NamespaceCommands, 'nft'>
  readonly flows: FlowCommands
  readonly nodeName: string
  /** Host process id inside the node's network namespace. */
  readonly pid: number
  readonly ranges: ProxyRanges
  readonly clock: Clock
  readonly log: Logger
}

export interface ServiceProxy extends AsyncDisposable {
  /** Resolves when the node's rules hold all that was known when it started. */
  readonly ready: Promise<void>
}

/** Changes within this time share a transaction, in ms: short enough for a rolling update, long enough for a burst. */
const COALESCE_MS = 10

const RETRY: Backoff = { initialMs: 200, factor: 2, maxMs: 10_000 }

/** What the kernel holds; undefined when that is not known, as at the start and after a failure. */
interface Applied {
  readonly ruleset: Ruleset
  readonly frontends: UdpFrontends
}

export function startProxy(parts: ProxyParts): ServiceProxy {
  const { informers, nodeName, ranges, clock, log } = parts
  const stop = new AbortController()
  const ready = Promise.withResolvers<void>()
  let changed = Promise.withResolvers<void>()
  const routes = followRoutes({ informers, nodeName, ranges, onChange: () => changed.resolve() })

  const run = async () => {
    // Rules of a process before this one stay in force until everything is known.
    const sources = [informers.of(services), informers.of(endpointSlices), informers.of(pods)]
    await Promise.all(sources.map((source) => source.whenSynced(stop.signal)))
    let applied: Applied | undefined
    for (let failures = 0; !stop.signal.aborted; ) {
      try {
        changed = Promise.withResolvers()
        applied = await apply(parts, routes, applied)
        failures = 0
        ready.resolve()
        await changed.promise
        await clock.sleep(COALESCE_MS, stop.signal)
      } catch (error) {
        if (stop.signal.aborted) return
        applied = undefined
        log.warn('the service rules could not be brought up to date', { node: nodeName, error: String(error) })
        await clock.sleep(backoffMs(RETRY, failures++), stop.signal).catch(() => {})
      }
    }
  }
  const running = run().catch((error: unknown) => {
    if (!stop.signal.aborted) log.error('the service proxy ended', { node: nodeName, error: String(error) })
  })
  return {
    ready: ready.promise,
    async [Symbol.asyncDispose]() {
      stop.abort()
      changed.resolve()
      await running
      routes[Symbol.dispose]()
    },
  }
}

async function apply(
  { commands, flows, pid, nodeName, ranges, log }: ProxyParts,
  routes: NodeRoutes,
  applied: Applied | undefined,
): Promise<Applied> {
  const next = routes.current()
  const base = applied ? '' : baseRuleset(ranges)
  const change = base + rulesetChange(applied?.ruleset ?? EMPTY_RULESET, next.ruleset)
  if (change !== '') await commands.nft(pid, change)
  const stale = staleFlows(applied?.frontends ?? new Map(), next.frontends)
  await flows.forget(pid, stale).catch((error: unknown) => {
    log.warn('old UDP flows could not be forgotten', { node: nodeName, error: String(error) })
  })
  return next
}
