/**
 * The flow schemas and priority levels that a server makes by itself: there at every start, and looked after from then
 * on. Two of each are put right whatever became of them; of the others, those whose annotation says so or whose spec
 * nobody has touched. What upstream's API server does once a minute under the same name.
 */

import type { ResourceDefinition } from '../apis/definition.ts'
import {
  AUTO_UPDATE_ANNOTATION,
  MANDATORY_FLOWS,
  MANDATORY_LEVELS,
  SUGGESTED_FLOWS,
  SUGGESTED_LEVELS,
} from '../apis/flowcontrol/built-in-flows.ts'
import { flowSchemas } from '../apis/flowcontrol/flow-schema.ts'
import { priorityLevelConfigurations } from '../apis/flowcontrol/priority-level-configuration.ts'
import type { PriorityLevelConfiguration } from '../apis/flowcontrol/types.gen.ts'
import { type Clock, every } from '../base/clock.ts'
import { deepEqual } from '../base/deep-equal.ts'
import type { Logger } from '../base/log.ts'
import type { Client, New } from '../client/client.ts'
import { isAlreadyExists, isConflict, isNotFound } from '../machinery/meta/api-error.ts'
import { type KubeObject, keyOf } from '../machinery/meta/object.ts'
import type { Registries } from '../server/registry/registries.ts'

const MANAGER = 'api-priority-and-fairness-config-producer-v1'
const PERIOD_MS = 60_000

/** Until the signal aborts. */
export function keepFlowObjects(
  client: Client,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  signal: AbortSignal,
): void {
  every(clock, PERIOD_MS, signal, () =>
    ensureFlowObjects(client).catch((error: unknown) => {
      if (!signal.aborted) log.warn('flow schemas and priority levels could not be looked after', { error })
    }),
  )
}

/** Safe to repeat; writes nothing when nothing is missing. */
export async function ensureFlowObjects(client: Client): Promise<void> {
  await ensureAll(client, priorityLevelConfigurations, MANDATORY_LEVELS, SUGGESTED_LEVELS, wantedLevelSpec)
  await ensureAll(client, flowSchemas, MANDATORY_FLOWS, SUGGESTED_FLOWS, (_, spec) => spec)
}

/** The shares of the exempt level are its owner's to set. */
function wantedLevelSpec(
  { metadata: { name }, spec: current }: PriorityLevelConfiguration,
  spec: PriorityLevelConfiguration['spec'],
): PriorityLevelConfiguration['spec'] {
  return name === 'exempt' && current.exempt ? { ...spec, exempt: current.exempt } : spec
}

/** Writes all of them into a storage that has none, without what a client's create costs. */
export async function seedFlowObjects(registries: Registries): Promise<void> {
  const seedAll = <T extends WithSpec>(definition: ResourceDefinition<T>, specs: Specs<T>) =>
    registries.of(definition).seed(
      Object.entries(specs).map(([name, spec]) => drafted<T>(name, spec)),
      MANAGER,
    )
  await Promise.all([
    seedAll(priorityLevelConfigurations, { ...MANDATORY_LEVELS, ...SUGGESTED_LEVELS }),
    seedAll(flowSchemas, { ...MANDATORY_FLOWS, ...SUGGESTED_FLOWS }),
  ])
}

interface WithSpec extends KubeObject {
  readonly spec: object
}

type Specs<T extends WithSpec> = Readonly<Record<string, T['spec']>>

/** `wantedOf`: the spec as it should be, where the object has a say in it. */
async function ensureAll<T extends WithSpec>(
  client: Client,
  definition: ResourceDefinition<T>,
  mandatory: Specs<T>,
  suggested: Specs<T>,
  wantedOf: (current: T, spec: T['spec']) => T['spec'],
): Promise<void> {
  const { items } = await client.of(definition).list()
  const existing = new Map(items.map((item) => [item.metadata.name ?? '', item]))
  const specs = { ...mandatory, ...suggested }
  const ensured = Object.entries(specs).map(async ([name, spec]) => {
    const current = existing.get(name)
    if (current === undefined) await create(client, definition, name, spec)
    else
      await revise(client, definition, current, {
        always: Object.hasOwn(mandatory, name),
        spec: wantedOf(current, spec),
      })
  })
  const unwanted = items.filter(
    (item) => !Object.hasOwn(specs, item.metadata.name ?? '') && annotationOf(item) === true,
  )
  const removed = unwanted.map((item) =>
    client.of(definition).delete(keyOf(item), { uid: item.metadata.uid }).catch(passing(isNotFound)),
  )
  await Promise.all([...ensured, ...removed])
}

async function create<T extends WithSpec>(
  client: Client,
  definition: ResourceDefinition<T>,
  name: string,
  spec: T['spec'],
): Promise<void> {
  const object: New<T> = drafted(name, spec)
  await client.of(definition).create(object, { fieldManager: MANAGER }).catch(passing(isAlreadyExists))
}

function drafted<T extends WithSpec>(name: string, spec: T['spec']): T {
  const metadata = { name, annotations: { [AUTO_UPDATE_ANNOTATION]: 'true' } }
  // The spec is one of the definition's type, and there is nothing else in its objects that has to be said.
  return { metadata, spec } as unknown as T
}

async function revise<T extends WithSpec>(
  client: Client,
  definition: ResourceDefinition<T>,
  current: T,
  { always, spec }: { readonly always: boolean; readonly spec: T['spec'] },
): Promise<void> {
  const { metadata } = current
  const annotation = annotationOf(current)
  // Without a word on it, a spec that is as it was made is nobody's.
  const updates = always || (annotation ?? metadata.generation === 1)
  const differs = updates && !deepEqual(current.spec, spec)
  if (!differs && annotation === updates) return
  const annotations = { ...metadata.annotations, [AUTO_UPDATE_ANNOTATION]: String(updates) }
  const revised = { ...current, metadata: { ...metadata, annotations }, ...(differs && { spec }) }
  // Somebody else may have changed it meanwhile: it is looked at again.
  await client.of(definition).update(revised, { fieldManager: MANAGER }).catch(passing(isConflict, isNotFound))
}

/** Undefined: it says nothing that is a truth value. */
function annotationOf({ metadata: { annotations } }: KubeObject): boolean | undefined {
  const text = annotations?.[AUTO_UPDATE_ANNOTATION] ?? ''
  if (/^(?:1|t|T|true|TRUE|True)$/.test(text)) return true
  return /^(?:0|f|F|false|FALSE|False)$/.test(text) ? false : undefined
}

function passing(...kinds: readonly ((error: unknown) => boolean)[]): (error: unknown) => void {
  return (error) => {
    if (!kinds.some((isKind) => isKind(error))) throw error
  }
}
