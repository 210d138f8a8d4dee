/**
 * Which group versions other servers have, with what those say about them. Another server that is registered for a
 * version has it, whatever this one could serve there.
 */

import { apiServiceName } from '../../apis/apiregistration/automanaged.ts'
import type { APIService } from '../../apis/apiregistration/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import type { GroupVersion } from '../../machinery/meta/group-version.ts'
import type { Registration } from '../discovery/registration.ts'
import type { RemoteOpenApi } from '../openapi/documents.ts'
import type { AvailabilityMetrics } from './availability-metrics.ts'
import { type FollowParts, followDocuments, type RemoteDocuments, unknownDocuments } from './follow-documents.ts'
import type { ServicesSink } from './follow-services.ts'
import { type RemoteVersion, remoteVersion } from './remote-version.ts'

export interface RemoteRegistry extends ServicesSink, Disposable {
  /** Undefined: this server serves the version, or nobody does. */
  find(groupVersion: GroupVersion): RemoteVersion | undefined
  /** Who has the OpenAPI v3 document of that name. */
  findDocument(name: string): RemoteVersion | undefined
  /** Whether there is any. */
  readonly isEmpty: boolean
  registrations(): readonly Registration[]
  openApi(): RemoteOpenApi
  /** Called when one of the last two changes. */
  onChange(listener: () => void): () => void
}

interface Entry {
  service: APIService
  readonly remote?: RemoteVersion | undefined
  documents?: RemoteDocuments | undefined
  /** Ends the reading of the documents. */
  readonly stop: AbortController
}

export interface RemoteRegistryParts extends Omit<FollowParts, 'changed'> {
  readonly metrics: AvailabilityMetrics
}

export function createRemoteRegistry(parts: RemoteRegistryParts): RemoteRegistry {
  const entries = new Map<string, Entry>()
  /** Those of other servers: asked with every request. */
  const remotes = new Map<string, RemoteVersion>()
  const listeners = new Set<() => void>()
  const announce = (): void => {
    for (const listener of listeners) listener()
  }
  const put = (service: APIService): void => {
    const { name = '' } = service.metadata
    const before = entries.get(name)
    const remote = remoteVersion(service)
    parts.metrics.seen(service, before?.service)
    if (before && deepEqual([before.remote, prioritiesOf(before.service)], [remote, prioritiesOf(service)])) {
      before.service = service
      return
    }
    before?.stop.abort()
    const same = before?.remote && remote && deepEqual(before.remote.service, remote.service)
    const documents = remote && ((same && before.documents) || unknownDocuments(remote))
    const entry: Entry = { service, remote, documents, stop: new AbortController() }
    entries.set(name, entry)
    if (remote) remotes.set(name, remote)
    else remotes.delete(name)
    // That a server comes and goes changes nothing of what is known of it.
    if (!before || !deepEqual(registrationOf(before), registrationOf(entry))) announce()
    if (!remote || !documents) return
    const changed = (next: RemoteDocuments): void => {
      entry.documents = next
      announce()
    }
    void followDocuments({ ...parts, changed }, remote, documents, entry.stop.signal)
  }
  const remove = (name: string): void => {
    entries.get(name)?.stop.abort()
    remotes.delete(name)
    parts.metrics.removed(name)
    if (entries.delete(name)) announce()
  }
  return {
    put,
    remove,
    replaceAll(services) {
      const names = new Set(services.map(({ metadata }) => metadata.name))
      for (const name of [...entries.keys()]) if (!names.has(name)) remove(name)
      for (const service of services) put(service)
    },
    find: (groupVersion) => remotes.get(apiServiceName(groupVersion)),
    findDocument(name) {
      const having = [...entries.values()].filter(({ documents }) => documents?.openApiV3?.has(name))
      return having.toSorted(byPriority)[0]?.remote
    },
    get isEmpty() {
      return remotes.size === 0
    },
    registrations: () => [...entries.values()].map(registrationOf),
    openApi: () => openApiOf([...entries.values()].filter(({ remote }) => remote).toSorted(byPriority)),
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    [Symbol.dispose]() {
      for (const { stop } of entries.values()) stop.abort()
    },
  }
}

function prioritiesOf({ spec }: APIService) {
  const { groupPriorityMinimum: groupPriority = 0, versionPriority = 0 } = spec
  return { groupPriority, versionPriority }
}

function registrationOf({ service, documents }: Entry): Registration {
  const { group = '', version = '' } = service.spec
  return { group, version, ...prioritiesOf(service), remote: documents?.discovery }
}

function byPriority({ service: left }: Entry, { service: right }: Entry): number {
  const [one, other] = [prioritiesOf(left), prioritiesOf(right)]
  return (
    other.groupPriority - one.groupPriority ||
    other.versionPriority - one.versionPriority ||
    byCodeUnit(left.metadata.name ?? '', right.metadata.name ?? '')
  )
}

/** The first that has a document of a name keeps it. */
function openApiOf(entries: readonly Entry[]): RemoteOpenApi {
  const known = entries.flatMap(({ service, documents }) => (documents ? [{ service, ...documents }] : []))
  const v3 = known.toReversed().flatMap(({ openApiV3 }) => [...(openApiV3 ?? [])])
  const old = known.filter(({ openApiV3 }) => openApiV3?.size === 0)
  const v3FromV2 = old.flatMap(({ service: { spec }, openApiV2 }) =>
    openApiV2 ? [[`apis/${spec.group}/${spec.version}`, openApiV2] as const] : [],
  )
  return { v2: known.flatMap(({ openApiV2 }) => openApiV2 ?? []), v3: new Map(v3), v3FromV2: new Map(v3FromV2) }
}
