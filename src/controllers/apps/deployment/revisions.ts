/**
 * A Deployment's history: which ReplicaSet has its template, how revisions are numbered and remembered in
 * annotations, what a new ReplicaSet looks like, which old ones may go.
 */

import { deployments } from '../../../apis/apps/deployment.ts'
import { replicaSets } from '../../../apis/apps/replica-set.ts'
import type { Deployment, ReplicaSet } from '../../../apis/apps/types.gen.ts'
import type { PodTemplateSpec } from '../../../apis/core/types.gen.ts'
import { byCodeUnit } from '../../../base/group-by.ts'
import { apiVersionOf } from '../../../machinery/meta/group-version.ts'
import { SUBDOMAIN_BYTES_MAX } from '../../../machinery/meta/names.ts'
import { ownedBy } from '../../runtime/claim.ts'
import { sameTemplate, templateHash } from '../pod-template.ts'

export const HASH_LABEL = 'pod-template-hash'
export const REVISION = 'deployment.kubernetes.io/revision'
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history'
const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas'
const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas'

/** Annotations of a Deployment that are about itself and not about what it rolls out. */
const OWN_ANNOTATIONS: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
])

/** Of the annotation that lists old revisions: about 400 of them. */
const REVISION_HISTORY_CHARACTERS_MAX = 2000
/** A history without limit. */
const UNLIMITED = 2 ** 31 - 1

type Annotations = Readonly<Record<string, string>>

/** The oldest ReplicaSet with the Deployment's template. */
export function findCurrent({ spec }: Deployment, owned: readonly ReplicaSet[]): ReplicaSet | undefined {
  return [...owned]
    .sort(byAge)
    .find((replicaSet) => sameTemplate(withoutHash(replicaSet.spec.template), withoutHash(spec.template)))
}

function withoutHash(template: PodTemplateSpec | undefined): PodTemplateSpec | undefined {
  if (template?.metadata?.labels?.[HASH_LABEL] === undefined) return template
  const { [HASH_LABEL]: _, ...labels } = template.metadata.labels
  return { ...template, metadata: { ...template.metadata, labels } }
}

/** Oldest first. */
export function byAge(left: ReplicaSet, right: ReplicaSet): number {
  const [first, second] = [left.metadata, right.metadata]
  return (
    byCodeUnit(first.creationTimestamp ?? '', second.creationTimestamp ?? '') ||
    byCodeUnit(first.name ?? '', second.name ?? '')
  )
}

/** 0 when there is none. */
export function revisionOf({ metadata }: ReplicaSet): number {
  return wholeNumber(metadata.annotations?.[REVISION]) ?? 0
}

export function nextRevision(old: readonly ReplicaSet[]): number {
  return Math.max(0, ...old.map(revisionOf)) + 1
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** The sizes of the whole Deployment when the ReplicaSet was last sized. */
export function annotatedReplicas({ metadata }: ReplicaSet): {
  readonly desired: number | undefined
  readonly max: number | undefined
} {
  const { annotations = {} } = metadata
  return { desired: wholeNumber(annotations[DESIRED_REPLICAS]), max: wholeNumber(annotations[MAX_REPLICAS]) }
}

export function withReplicaAnnotations(replicaSet: ReplicaSet, desired: number, max: number): ReplicaSet {
  const sizes = { [DESIRED_REPLICAS]: String(desired), [MAX_REPLICAS]: String(max) }
  return withAnnotations(replicaSet, { ...replicaSet.metadata.annotations, ...sizes })
}

function withAnnotations(replicaSet: ReplicaSet, annotations: Annotations): ReplicaSet {
  return { ...replicaSet, metadata: { ...replicaSet.metadata, annotations } }
}

/**
 * The current ReplicaSet with what it follows its Deployment in: annotations, minReadySeconds, and the highest
 * revision. One that is returned to remembers the revisions it had.
 */
export function followed(deployment: Deployment, current: ReplicaSet, revision: number): ReplicaSet {
  const before = revisionOf(current)
  const annotations: Annotations = {
    ...current.metadata.annotations,
    ...copiedAnnotations(deployment),
    ...(before < revision ? { [REVISION]: String(revision), ...history(current, before) } : {}),
  }
  const { minReadySeconds } = deployment.spec
  return { ...withAnnotations(current, annotations), spec: { ...current.spec, minReadySeconds } }
}

function copiedAnnotations({ metadata }: Deployment): Annotations {
  return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([key]) => !OWN_ANNOTATIONS.has(key)))
}

function history({ metadata }: ReplicaSet, before: number): Annotations {
  if (metadata.annotations?.[REVISION] === undefined) return {}
  const earlier = metadata.annotations[REVISION_HISTORY]
  const revisions = [...(earlier ? earlier.split(',') : []), String(before)]
  while (revisions.join(',').length > REVISION_HISTORY_CHARACTERS_MAX) revisions.shift()
  return { [REVISION_HISTORY]: revisions.join(',') }
}

/** The ReplicaSet that a Deployment without a current one needs; its size is still 0. */
export function newReplicaSet(deployment: Deployment, revision: number): ReplicaSet {
  const { namespace } = deployment.metadata
  const { template, selector, minReadySeconds } = deployment.spec
  const hash = hashOf(deployment)
  const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash }
  return {
    apiVersion: apiVersionOf(replicaSets),
    kind: replicaSets.kind,
    metadata: {
      name: newReplicaSetName(deployment),
      namespace,
      labels,
      annotations: { ...copiedAnnotations(deployment), [REVISION]: String(revision) },
      ownerReferences: [ownedBy(deployments, deployment)],
    },
    spec: {
      replicas: 0,
      minReadySeconds,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }
}

/** The same for the same template, so that a second attempt finds what the first one made. */
export function newReplicaSetName(deployment: Deployment): string {
  const suffix = `-${hashOf(deployment)}`
  return (deployment.metadata.name ?? '').slice(0, SUBDOMAIN_BYTES_MAX - suffix.length) + suffix
}

function hashOf({ spec, status }: Deployment): string {
  return templateHash(spec.template, status?.collisionCount)
}

/** Old ReplicaSets beyond the history's limit that have no pods, oldest revision first. */
export function expiredReplicaSets({ spec }: Deployment, old: readonly ReplicaSet[]): readonly ReplicaSet[] {
  const { revisionHistoryLimit: limit = UNLIMITED } = spec
  if (limit === UNLIMITED) return []
  const living = old.filter(({ metadata }) => !metadata.deletionTimestamp)
  const surplus = Math.max(0, living.length - limit)
  return living
    .sort((left, right) => revisionOf(left) - revisionOf(right) || byAge(left, right))
    .slice(0, surplus)
    .filter(isEmpty)
}

function isEmpty({ metadata, spec, status }: ReplicaSet): boolean {
  const isObserved = (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0)
  return isObserved && spec.replicas === 0 && (status?.replicas ?? 0) === 0
}
