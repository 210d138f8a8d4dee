/** daemonset-controller: one pod of the template on every node that it fits. */

import { controllerRevisions } from '../../../apis/apps/controller-revision.ts'
import { daemonSets } from '../../../apis/apps/daemon-set.ts'
import { nodes } from '../../../apis/core/node.ts'
import { pods } from '../../../apis/core/pod/definition.ts'
import type { Node, Pod } from '../../../apis/core/types.gen.ts'
import { deepEqual } from '../../../base/deep-equal.ts'
import { selectorFromLabelSelector } from '../../../machinery/meta/labels.ts'
import { type KubeObject, keyOf } from '../../../machinery/meta/object.ts'
import { isControlledBy } from '../../../machinery/meta/owner.ts'
import { claimCandidates } from '../../runtime/claim.ts'
import { type Cache, defineController, type ReconcilingController, type Watch } from '../../runtime/controller.ts'
import { revisionName } from '../controller-history.ts'
import { orphanWatch } from '../replicas.ts'
import { FailureBackoff } from './failure-backoff.ts'
import { targetNode } from './nodes.ts'
import { type DaemonSetView, planDaemonSet } from './plan.ts'

export function daemonSetController(): ReconcilingController<DaemonSetView> {
  const backoff = new FailureBackoff()
  return defineController({
    name: 'daemonset-controller',
    reconciles: daemonSets,
    owns: [pods, controllerRevisions],
    watches: [orphanWatch(daemonSets, ({ spec }) => selectorFromLabelSelector(spec.selector), pods), nodeWatch],
    observe: (cache, key, nowMs): DaemonSetView | undefined => {
      const daemonSet = cache.get(daemonSets, key)
      if (!daemonSet) return undefined
      const candidates = claimCandidates(cache, pods, daemonSet)
      const failed = candidates.filter((pod) => pod.status?.phase === 'Failed' && isControlledBy(pod, daemonSet))
      const place = (pod: Pod) =>
        `${daemonSet.metadata.uid}/${daemonSet.status?.observedGeneration ?? 0}/${targetNode(pod)}`
      return {
        daemonSet,
        pods: candidates,
        revisions: claimCandidates(cache, controllerRevisions, daemonSet),
        namesake: cache.get(controllerRevisions, { namespace: key.namespace, name: revisionName(daemonSet) }),
        nodes: cache.list(nodes),
        replaceAtMs: new Map(
          failed.map((pod) => [pod.metadata.uid ?? '', backoff.replaceAtMs(place(pod), pod.metadata.uid ?? '', nowMs)]),
        ),
      }
    },
    plan: planDaemonSet,
  })
}

/** A node that comes, goes, or changes in what decides who runs on it. */
const nodeWatch: Watch<Node> = {
  definition: nodes,
  keysOf: (_node: KubeObject, cache: Cache) => cache.list(daemonSets).map(keyOf),
  ignores: (node, previous) =>
    deepEqual(node.metadata.labels ?? {}, previous.metadata.labels ?? {}) &&
    deepEqual(node.spec?.taints ?? [], previous.spec?.taints ?? []),
}
