/** statefulset-controller: numbered pods with names and volumes of their own. */

import { controllerRevisions } from '../../../apis/apps/controller-revision.ts'
import { statefulSets } from '../../../apis/apps/stateful-set.ts'
import type { StatefulSet } from '../../../apis/apps/types.gen.ts'
import { persistentVolumeClaims } from '../../../apis/core/persistent-volume-claim.ts'
import { pods } from '../../../apis/core/pod/definition.ts'
import { selectorFromLabelSelector } from '../../../machinery/meta/labels.ts'
import { type KubeObject, keyOf, type ObjectKey } from '../../../machinery/meta/object.ts'
import { claimCandidates } from '../../runtime/claim.ts'
import { type Cache, defineController } from '../../runtime/controller.ts'
import { revisionName } from '../controller-history.ts'
import { orphanWatch } from '../replicas.ts'
import { type Claims, claimNames } from './claims.ts'
import { ordinalOf, ordinalsOf } from './identity.ts'
import { planStatefulSet, type StatefulSetView } from './plan.ts'

export const statefulSetController = defineController({
  name: 'statefulset-controller',
  reconciles: statefulSets,
  owns: [pods, controllerRevisions],
  watches: [
    orphanWatch(statefulSets, ({ spec }) => selectorFromLabelSelector(spec.selector), pods),
    { definition: persistentVolumeClaims, keysOf: setsOfClaim },
  ],
  observe: (cache, key): StatefulSetView | undefined => {
    const set = cache.get(statefulSets, key)
    if (!set) return undefined
    const candidates = claimCandidates(cache, pods, set)
    const ordinals = [...ordinalsOf(set), ...candidates.flatMap((pod) => ordinalOf(set, pod) ?? [])]
    return {
      set,
      pods: candidates,
      revisions: claimCandidates(cache, controllerRevisions, set),
      namesake: cache.get(controllerRevisions, { namespace: key.namespace, name: revisionName(set) }),
      claims: claimsOf(cache, set, ordinals),
    }
  },
  plan: planStatefulSet,
})

function claimsOf(cache: Cache, set: StatefulSet, ordinals: readonly number[]): Claims {
  const { namespace } = set.metadata
  const names = new Set(ordinals.flatMap((ordinal) => claimNames(set, ordinal)))
  const found = [...names].flatMap((name) => cache.get(persistentVolumeClaims, { namespace, name }) ?? [])
  return new Map(found.map((claim) => [claim.metadata.name ?? '', claim]))
}

/** Sets that have a claim of this name. */
function* setsOfClaim({ metadata }: KubeObject, cache: Cache): Iterable<ObjectKey> {
  const base = /^(.*)-\d+$/.exec(metadata.name ?? '')?.[1]
  if (base === undefined) return
  for (const set of cache.list(statefulSets, metadata.namespace)) {
    const templates = set.spec.volumeClaimTemplates ?? []
    if (templates.some((template) => base === `${template.metadata.name}-${set.metadata.name}`)) yield keyOf(set)
  }
}
