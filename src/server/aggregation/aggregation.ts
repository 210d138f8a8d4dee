/**
 * Aggregated servers: API servers behind this one that an APIService names for a version of a group. Requests for such
 * a version are passed on in the name of the caller, after everything that this server asks of a request; discovery and
 * OpenAPI repeat what those servers say. When one of them is gone, its own versions answer 503, and nothing else does.
 */

import { apiServices } from '../../apis/apiregistration/api-service.ts'
import type { APIService } from '../../apis/apiregistration/types.gen.ts'
import type { Catalog } from '../../apis/catalog.ts'
import type { Clock } from '../../base/clock.ts'
import { orAborted } from '../../base/deadline.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { pageNotFound } from '../../machinery/meta/api-error.ts'
import type { ApiRequest, ApiResponse } from '../../machinery/wire/message.ts'
import type { RequestTarget } from '../auth/authorizer.ts'
import type { Registration } from '../discovery/registration.ts'
import type { RemoteOpenApi } from '../openapi/documents.ts'
import type { Registries } from '../registry/registries.ts'
import { createAsk } from './ask.ts'
import { createAvailabilityMetrics } from './availability-metrics.ts'
import { checkDiscovery } from './check-discovery.ts'
import { type ConnectionParts, createConnections } from './connections.ts'
import { followServices } from './follow-services.ts'
import { forward } from './forward.ts'
import { createRemoteRegistry } from './registry.ts'
import { documentAt, isSound, versionAt } from './remote-path.ts'
import { remoteVersion } from './remote-version.ts'

export interface AggregationParts extends ConnectionParts {
  readonly catalog: Catalog
  registries(): Registries
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

export interface Aggregation extends Disposable {
  /** Begins to follow; at once ready where the catalog has no APIServices. */
  start(): void
  /** Resolves when it is known which versions other servers have. */
  whenReady(signal: AbortSignal): Promise<void>
  readonly isReady: boolean
  /** Whether a request for this URL goes to another server, so that its body is left unread. */
  passes(url: string): boolean
  /** Undefined: it is this server's to answer. */
  handle(request: ApiRequest, target: RequestTarget): Promise<ApiResponse> | undefined
  registered(): { readonly registrations: readonly Registration[]; readonly openApi: RemoteOpenApi }
  /** Called when what is registered changes. */
  onChange(listener: () => void): () => void
  /** Whether the server behind an APIService answers for its version. Throws with the reason when it does not. */
  check(service: APIService, signal: AbortSignal): Promise<void>
  /** Who is available, in the text exposition format. */
  metrics(): string
}

export function createAggregation(parts: AggregationParts): Aggregation {
  const { catalog, clock } = parts
  const connections = createConnections(parts)
  const ask = createAsk(clock, connections)
  const metrics = createAvailabilityMetrics()
  const remotes = createRemoteRegistry({ ...parts, ask, metrics })
  const stopping = new AbortController()
  const ready = Promise.withResolvers<void>()
  let isReady = false
  const becomeReady = (): void => {
    isReady = true
    ready.resolve()
  }
  const find = (path: string) => {
    if (remotes.isEmpty) return undefined
    const document = documentAt(path)
    if (document === undefined) {
      const version = versionAt(path)
      return version && remotes.find(version)
    }
    const remote = remotes.findDocument(document)
    // A group's own document is this server's, where it serves anything of the group.
    const isShared = document === `apis/${remote?.group}` && catalog.all().some(({ group }) => group === remote?.group)
    return isShared ? undefined : remote
  }
  return {
    start() {
      const { group, version, resource } = apiServices
      if (catalog.byResource(group, version, resource) === undefined) return becomeReady()
      const sink = {
        ...remotes,
        replaceAll: (services: readonly APIService[]) => {
          remotes.replaceAll(services)
          becomeReady()
        },
      }
      void followServices(parts, sink, stopping.signal)
    },
    get isReady() {
      return isReady
    },
    whenReady: (signal) => orAborted(ready.promise, signal),
    passes: (url) => find(url.split('?', 1)[0] ?? '') !== undefined,
    handle(request, target) {
      const remote = find(request.path)
      if (remote === undefined) return undefined
      // A path that this server and the other could read differently was not authorized as what the other reads.
      if (!isSound(request.path, target.type === 'resource')) throw pageNotFound()
      return forward({ clock, connections }, remote, request, target)
    },
    registered: () => ({ registrations: remotes.registrations(), openApi: remotes.openApi() }),
    onChange: remotes.onChange,
    async check(service, signal) {
      const remote = remoteVersion(service)
      if (remote) await checkDiscovery(ask, remote, signal)
    },
    metrics: metrics.text,
    [Symbol.dispose]() {
      stopping.abort()
      remotes[Symbol.dispose]()
      connections[Symbol.dispose]()
    },
  }
}
