/**
 * The templates that a StatefulSet or DaemonSet has had, as ControllerRevisions: which one is wanted now, how a new
 * one looks, which may go. A revision's data is a patch that puts its template back.
 */

import { controllerRevisions } from '../../apis/apps/controller-revision.ts'
import type { ControllerRevision } from '../../apis/apps/types.gen.ts'
import type { PodTemplateSpec } from '../../apis/core/types.gen.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { type Action, createAction, deleteAction, updateAction } from '../runtime/action.ts'
import { ownedBy } from '../runtime/claim.ts'
import { sameTemplate, templateHash } from './pod-template.ts'

/** On pods: the revision they are of. */
export const REVISION_LABEL = 'controller-revision-hash'

export interface HistoryOwner extends KubeObject {
  readonly spec: { readonly template: PodTemplateSpec; readonly revisionHistoryLimit?: number | undefined }
  readonly status?: { readonly collisionCount?: number | undefined } | undefined
}

export interface HistoryRequest<T extends HistoryOwner> {
  readonly owner: T
  readonly definition: ResourceDefinition<T>
  /** The label under which a revision carries its hash. */
  readonly hashLabel: string
  /** The owner's, in any order. */
  readonly revisions: readonly ControllerRevision[]
  /** Whatever has the name that a new revision would get, see `revisionName`. */
  readonly namesake: ControllerRevision | undefined
}

export type History =
  | { readonly state: 'current'; readonly update: ControllerRevision }
  /** To be made or renumbered first. */
  | { readonly state: 'outdated'; readonly action: Action }
  /** Another template has the name: the owner must count a collision, which changes the name. */
  | { readonly state: 'collision' }

const REVISION_HISTORY_DEFAULT = 10
/** Of an owner's name in a revision's name. */
const NAME_PREFIX_MAX = 223

/** Oldest first. */
function byRevision(left: ControllerRevision, right: ControllerRevision): number {
  return (
    left.revision - right.revision ||
    byCodeUnit(left.metadata.creationTimestamp ?? '', right.metadata.creationTimestamp ?? '') ||
    byCodeUnit(left.metadata.name ?? '', right.metadata.name ?? '')
  )
}

export function templateOf({ data }: ControllerRevision): PodTemplateSpec {
  const template = fieldOf(fieldOf(data, 'spec'), 'template')
  if (typeof template !== 'object' || template === null) return {}
  const { $patch: _, ...fields } = template as PodTemplateSpec & { readonly $patch?: string }
  return fields
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined
}

export function revisionName({ metadata, spec, status }: HistoryOwner): string {
  return `${(metadata.name ?? '').slice(0, NAME_PREFIX_MAX)}-${templateHash(spec.template, status?.collisionCount)}`
}

/** The revision of the owner's template; a template that comes back gets the highest number again. */
export function planHistory<T extends HistoryOwner>(request: HistoryRequest<T>): History {
  const { owner, namesake } = request
  const revisions = [...request.revisions].sort(byRevision)
  const equal = revisions.filter((revision) => sameTemplate(templateOf(revision), owner.spec.template)).at(-1)
  const newest = revisions.at(-1)
  const next = (newest?.revision ?? 0) + 1
  if (equal && equal === newest) return { state: 'current', update: equal }
  if (equal) return { state: 'outdated', action: updateAction(controllerRevisions, { ...equal, revision: next }) }
  if (namesake) return { state: 'collision' }
  return { state: 'outdated', action: createAction(controllerRevisions, newRevision(request, next)) }
}

function newRevision<T extends HistoryOwner>({ owner, definition, hashLabel }: HistoryRequest<T>, revision: number) {
  const { template } = owner.spec
  const hash = templateHash(template, owner.status?.collisionCount)
  return {
    metadata: {
      name: revisionName(owner),
      namespace: owner.metadata.namespace,
      labels: { ...template.metadata?.labels, [hashLabel]: hash },
      annotations: owner.metadata.annotations,
      ownerReferences: [ownedBy(definition, owner)],
    },
    data: { spec: { template: { ...template, $patch: 'replace' } } },
    revision,
  }
}

/** Deletes what is beyond the history's limit, oldest first. `live`: names of revisions in use; they do not count. */
export function truncateHistory(
  { spec }: HistoryOwner,
  revisions: readonly ControllerRevision[],
  live: ReadonlySet<string | undefined>,
): readonly Action[] {
  const { revisionHistoryLimit = REVISION_HISTORY_DEFAULT } = spec
  const unused = revisions.filter(({ metadata }) => !live.has(metadata.name)).sort(byRevision)
  const surplus = Math.max(0, unused.length - revisionHistoryLimit)
  return unused.slice(0, surplus).map((revision) => deleteAction(controllerRevisions, revision))
}
