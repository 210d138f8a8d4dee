/** Starts controllers, restarts what fails, stops them together. */

import { AssertionError } from '../../base/assert.ts'
import { type Backoff, backoffMs } from '../../base/backoff.ts'
import { stackOf } from '../../base/error-text.ts'
import type { Client } from '../../client/client.ts'
import type { EventLane } from '../../client/event-lane.ts'
import { createEventRecorder } from '../../client/events.ts'
import type { Informers } from '../../client/informers.ts'
import type { Cache, Controller, ControllerParts } from './controller.ts'
import { eventComponent } from './event-components.ts'
import { runController } from './run.ts'

export interface ManagerParts extends Omit<ControllerParts, 'cache' | 'events' | 'client'> {
  /** Each controller acts as itself. */
  readonly clientOf: (controller: string) => Client
  /** In which their events are written. */
  readonly lane?: EventLane | undefined
}

const RESTART: Backoff = { initialMs: 500, factor: 2, maxMs: 60_000 }

/** A view over all informers. */
export function createCache(informers: Informers): Cache {
  return {
    get: (definition, key) => informers.of(definition).get(key),
    list: (definition, namespace) => informers.of(definition).list(namespace),
    controlledBy: (definition, owner) => informers.of(definition).controlledBy(owner.metadata.uid ?? ''),
    informer: (definition) => informers.of(definition),
  }
}

export function startControllers(controllers: readonly Controller[], parts: ManagerParts): AsyncDisposable {
  const stop = new AbortController()
  const cache = createCache(parts.informers)
  const running = controllers.map((controller) => {
    const { name } = controller
    const log = parts.log.child({ controller: name })
    const client = parts.clientOf(name)
    const events = createEventRecorder({ ...parts, client, log, component: eventComponent(name) })
    return keepRunning(controller, { ...parts, client, cache, events, log }, stop.signal)
  })
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all(running)
    },
  }
}

/** A failed assertion stops the controller for good: going on with a broken invariant could do harm. */
async function keepRunning(controller: Controller, parts: ControllerParts, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted; failures++) {
    const startedMs = parts.clock.monotonic()
    try {
      await ('run' in controller ? controller.run(parts, signal) : runController(controller, parts, signal))
      return
    } catch (error) {
      if (signal.aborted) return
      parts.log.error('the controller failed', { error: stackOf(error) })
      if (error instanceof AssertionError) return
      if (parts.clock.monotonic() - startedMs > RESTART.maxMs) failures = 0
      await parts.clock.sleep(backoffMs(RESTART, failures), signal).catch(() => {})
    }
  }
}
