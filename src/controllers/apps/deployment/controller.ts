/** deployment-controller: rolls templates out through ReplicaSets. */

import { deployments } from '../../../apis/apps/deployment.ts'
import { replicaSets } from '../../../apis/apps/replica-set.ts'
import type { Deployment } from '../../../apis/apps/types.gen.ts'
import { pods } from '../../../apis/core/pod/definition.ts'
import { selectorFromLabelSelector } from '../../../machinery/meta/labels.ts'
import { type KubeObject, keyOf, type ObjectKey } from '../../../machinery/meta/object.ts'
import { controllerOf } from '../../../machinery/meta/owner.ts'
import { claimCandidates } from '../../runtime/claim.ts'
import { type Cache, defineController } from '../../runtime/controller.ts'
import { orphanWatch } from '../replicas.ts'
import { type DeploymentView, planDeployment } from './plan.ts'
import { newReplicaSetName } from './revisions.ts'

export const deploymentController = defineController({
  name: 'deployment-controller',
  reconciles: deployments,
  owns: [replicaSets],
  watches: [
    orphanWatch(deployments, ({ spec }) => selectorFromLabelSelector(spec.selector), replicaSets),
    { definition: pods, keysOf: recreatedDeployment },
  ],
  observe: (cache, key): DeploymentView | undefined => {
    const deployment = cache.get(deployments, key)
    if (!deployment) return undefined
    const owned = cache.controlledBy(replicaSets, deployment)
    return {
      deployment,
      candidates: claimCandidates(cache, replicaSets, deployment),
      namesake: cache.get(replicaSets, { namespace: key.namespace, name: newReplicaSetName(deployment) }),
      pods: isRecreated(deployment) ? owned.flatMap((replicaSet) => cache.controlledBy(pods, replicaSet)) : [],
    }
  },
  plan: planDeployment,
})

function isRecreated({ spec }: Deployment): boolean {
  return spec.strategy?.type === 'Recreate'
}

/** A Deployment that waits for its old pods to end. */
function* recreatedDeployment(pod: KubeObject, cache: Cache): Iterable<ObjectKey> {
  const { namespace } = pod.metadata
  const replicaSet = controlledFrom(pod, replicaSets.kind, (name) => cache.get(replicaSets, { namespace, name }))
  const deployment =
    replicaSet && controlledFrom(replicaSet, deployments.kind, (name) => cache.get(deployments, { namespace, name }))
  if (deployment && isRecreated(deployment)) yield keyOf(deployment)
}

function controlledFrom<T>(object: KubeObject, kind: string, find: (name: string) => T | undefined): T | undefined {
  const controller = controllerOf(object)
  return controller?.kind === kind ? find(controller.name) : undefined
}
