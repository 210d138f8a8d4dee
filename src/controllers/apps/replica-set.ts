/** replicaset-controller: every ReplicaSet has its number of pods. */

import { replicaSets } from '../../apis/apps/replica-set.ts'
import type { ReplicaSet } from '../../apis/apps/types.gen.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import { selectorFromLabelSelector } from '../../machinery/meta/labels.ts'
import { controllerOf } from '../../machinery/meta/owner.ts'
import { claimCandidates } from '../runtime/claim.ts'
import { type Cache, defineController } from '../runtime/controller.ts'
import { orphanWatch, planReplicas, type ReplicaKind, type ReplicasView } from './replicas.ts'

export const replicaSetKind: ReplicaKind<ReplicaSet> = {
  definition: replicaSets,
  selectorOf: ({ spec }) => selectorFromLabelSelector(spec.selector),
  countsTerminating: true,
}

export const replicaSetController = defineController({
  name: 'replicaset-controller',
  reconciles: replicaSets,
  owns: [pods],
  watches: [orphanWatch(replicaSets, replicaSetKind.selectorOf, pods)],
  observe: (cache, key): ReplicasView<ReplicaSet> | undefined => {
    const owner = cache.get(replicaSets, key)
    if (!owner) return undefined
    const candidates = claimCandidates(cache, pods, owner)
    return { kind: replicaSetKind, owner, candidates, related: relatedPods(cache, owner) }
  },
  plan: planReplicas,
})

/** Pods of all ReplicaSets that the same Deployment controls. */
function relatedPods(cache: Cache, { metadata }: ReplicaSet): readonly Pod[] {
  const deployment = controllerOf({ metadata })
  if (!deployment) return []
  return cache
    .informer(replicaSets)
    .controlledBy(deployment.uid)
    .flatMap((sibling) => cache.controlledBy(pods, sibling))
}
