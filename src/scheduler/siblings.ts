/** The pods that belong together with a pod: those of its services and of its controller. */

import { replicaSets } from '../apis/apps/replica-set.ts'
import { statefulSets } from '../apis/apps/stateful-set.ts'
import { replicationControllers } from '../apis/core/replication-controller.ts'
import { services } from '../apis/core/service/definition.ts'
import type { Informers } from '../client/informers.ts'
import {
  nothingSelector,
  type Requirement,
  type Selector,
  selectorFromLabelSelector,
  selectorFromLabels,
  selectorOf,
} from '../machinery/meta/labels.ts'
import type { PodInfo } from './pod-info.ts'

/** A pod without service and controller has no siblings: nothing is selected. */
export function siblingsFrom(informers: Informers): (pod: PodInfo) => Selector {
  const ofServices = informers.of(services)
  const ofReplicaSets = informers.of(replicaSets)
  const ofStatefulSets = informers.of(statefulSets)
  const ofReplicationControllers = informers.of(replicationControllers)

  const ofController = ({ pod, namespace }: PodInfo): readonly Requirement[] => {
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller)
    if (!owner) return []
    const key = { namespace, name: owner.name }
    switch (owner.kind) {
      case 'ReplicaSet':
        return selectorFromLabelSelector(ofReplicaSets.get(key)?.spec?.selector).requirements
      case 'StatefulSet':
        return selectorFromLabelSelector(ofStatefulSets.get(key)?.spec?.selector).requirements
      case 'ReplicationController':
        return selectorFromLabels(ofReplicationControllers.get(key)?.spec?.selector).requirements
      default:
        return []
    }
  }

  return (pod) => {
    const requirements = ofServices.list(pod.namespace).flatMap(({ spec }): readonly Requirement[] => {
      const selector = selectorFromLabels(spec?.selector)
      return selector.requirements.length > 0 && selector.matches(pod.labels) ? selector.requirements : []
    })
    const all = [...requirements, ...ofController(pod)]
    return all.length === 0 ? nothingSelector : selectorOf(all)
  }
}
