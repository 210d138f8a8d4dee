/** One shared informer per resource, started when it is first asked for. */

import type { ResourceDefinition } from '../apis/definition.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { groupResource } from '../machinery/meta/group-version.ts'
import type { KubeObject } from '../machinery/meta/object.ts'
import type { Client, Selection } from './client.ts'
import { type Informer, InformerStore } from './informer.ts'
import { reflect } from './reflector.ts'

export interface Informers extends AsyncDisposable {
  /** Starts on first use. */
  of<T extends KubeObject>(definition: ResourceDefinition<T>): Informer<T>
  /** Resolves when every informer asked for so far has synced. */
  whenSynced(signal?: AbortSignal): Promise<void>
}

export interface InformersParts {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Restricts every informer: a node's informers see only its pods, for example. Default: everything. */
  readonly selection?: ((definition: ResourceDefinition) => Selection) | undefined
}

/** A part of a resource: what is made of it (informers, views of a cache) has these objects and no others. */
export interface Part<T extends KubeObject> extends ResourceDefinition<T> {
  readonly part: Selection
}

/** For who knows the name of what he cares about, where others may have any number of objects. */
export function partOf<T extends KubeObject>(definition: ResourceDefinition<T>, part: Selection): Part<T> {
  return { ...definition, part }
}

interface Running {
  readonly informer: Informer<KubeObject>
  readonly done: Promise<void>
}

export function createInformers({ client, selection, clock, random, log }: InformersParts): Informers {
  const running = new Map<string, Running>()
  const stop = new AbortController()

  const start = <T extends KubeObject>(definition: ResourceDefinition<T>): Informer<T> => {
    const store = new InformerStore<T>(log)
    const parts = {
      client: client.of(definition),
      selection: { ...selection?.(definition), ...selectedBy(definition) },
      sink: store,
      clock,
      random,
      log,
    }
    running.set(nameOf(definition), {
      informer: store as unknown as Informer<KubeObject>,
      done: reflect(parts, stop.signal),
    })
    return store
  }

  return {
    of<T extends KubeObject>(definition: ResourceDefinition<T>): Informer<T> {
      const existing = running.get(nameOf(definition))
      // The map is keyed by the definition's name, so what is under it is of the definition's type.
      return existing ? (existing.informer as unknown as Informer<T>) : start(definition)
    },
    async whenSynced(signal) {
      await Promise.all([...running.values()].map(({ informer }) => informer.whenSynced(signal)))
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all([...running.values()].map(({ done }) => done))
    },
  }
}

/** Definitions never change, and most are asked for again at every change of some object. */
const names = new WeakMap<ResourceDefinition, string>()

function nameOf(definition: ResourceDefinition): string {
  const known = names.get(definition)
  if (known !== undefined) return known
  const { group, version, resource } = definition
  const { namespace = '', labelSelector = '', fieldSelector = '' } = selectedBy(definition)
  const name = [groupResource(group, resource), version, namespace, labelSelector, fieldSelector].join('/')
  names.set(definition, name)
  return name
}

function selectedBy(definition: ResourceDefinition | Part<KubeObject>): Selection {
  return 'part' in definition ? definition.part : {}
}
