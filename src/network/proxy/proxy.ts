/**
 * The service proxy of one node: follows services, slices and host ports, and keeps the rules of the node's network
 * namespace in step. One transaction at a time; what changes meanwhile is in the next.
 */

import { pods } from '../../apis/core/pod/definition.ts'
import { services } from '../../apis/core/service/definition.ts'
import { endpointSlices } from '../../apis/discovery/endpoint-slice.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Informers } from '../../client/informers.ts'
import { converge } from '../converge.ts'
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

/** What the kernel holds; undefined when that is not known, as at the start and after a failure. */
interface Applied {
  readonly ruleset: Ruleset
  readonly frontends: UdpFrontends
}

export function startProxy(parts: ProxyParts): ServiceProxy {
  const { informers, nodeName, ranges, clock, log } = parts
  const ready = Promise.withResolvers<void>()
  let applied: Applied | undefined
  const loop = converge({
    clock,
    // Rules of a process before this one stay in force until everything is known.
    begin: (signal) => {
      const sources = [informers.of(services), informers.of(endpointSlices), informers.of(pods)]
      return Promise.all(sources.map((source) => source.whenSynced(signal)))
    },
    work: async () => {
      const before = applied
      applied = undefined
      applied = await apply(parts, routes, before)
      ready.resolve()
    },
    onFailure: (error) =>
      log.warn('the service rules could not be brought up to date', { node: nodeName, error: String(error) }),
  })
  const routes = followRoutes({ informers, nodeName, ranges, onChange: () => loop.wake() })
  return {
    ready: ready.promise,
    async [Symbol.asyncDispose]() {
      routes[Symbol.dispose]()
      await loop[Symbol.asyncDispose]()
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
