/** replicationcontroller-controller: as ReplicaSets, with a plain map as selector. */

import { pods } from '../../apis/core/pod/definition.ts'
import { replicationControllers } from '../../apis/core/replication-controller.ts'
import type { ReplicationController } from '../../apis/core/types.gen.ts'
import { nothingSelector, selectorFromLabels } from '../../machinery/meta/labels.ts'
import { claimCandidates } from '../runtime/claim.ts'
import { defineController } from '../runtime/controller.ts'
import { orphanWatch, planReplicas, type ReplicaKind, type ReplicasView } from './replicas.ts'

const replicationControllerKind: ReplicaKind<ReplicationController> = {
  definition: replicationControllers,
  selectorOf: ({ spec }) =>
    Object.keys(spec.selector ?? {}).length > 0 ? selectorFromLabels(spec.selector) : nothingSelector,
  countsTerminating: false,
}

export const replicationControllerController = defineController({
  name: 'replicationcontroller-controller',
  reconciles: replicationControllers,
  owns: [pods],
  watches: [orphanWatch(replicationControllers, replicationControllerKind.selectorOf, pods)],
  observe: (cache, key): ReplicasView<ReplicationController> | undefined => {
    const owner = cache.get(replicationControllers, key)
    if (!owner) return undefined
    return { kind: replicationControllerKind, owner, candidates: claimCandidates(cache, pods, owner), related: [] }
  },
  plan: planReplicas,
})
