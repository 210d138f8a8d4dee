/** What a namespace's new level would say to the pods that are there already: warnings, grouped by what is wrong. */

import type { Pod } from '../../../../apis/core/types.gen.ts'
import { byCodeUnit, groupBy } from '../../../../base/group-by.ts'
import { controllerOf } from '../../../../machinery/meta/owner.ts'
import { reasonsOf, violationsOf } from './evaluate.ts'
import { type Standard, standardText } from './policy.ts'

/** Pods that are looked at; upstream's. The others are likely copies of these. */
const PODS_MAX = 3_000

export function existingPodWarnings(namespace: string, pods: readonly Pod[], standard: Standard): readonly string[] {
  const checked = differentFirst(pods).slice(0, PODS_MAX)
  const violating = checked
    .map(({ metadata: { name = '', annotations = {} }, spec = { containers: [] } }) => ({
      name,
      reasons: reasonsOf(violationsOf({ spec, annotations }, standard)),
    }))
    .filter(({ reasons }) => reasons !== '')
  const groups = groupBy(violating, ({ reasons }) => reasons)
  const texts = [...groups].map(([reasons, group]) =>
    groupText(
      reasons,
      group.map(({ name }) => name),
    ),
  )
  const partial = `new PodSecurity enforce level only checked against the first ${checked.length} of ${pods.length} existing pods`
  const head = `existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${standardText(standard)}"`
  return [
    ...(checked.length < pods.length ? [partial] : []),
    ...(texts.length > 0 ? [head] : []),
    ...texts.toSorted(byCodeUnit),
  ]
}

function groupText(reasons: string, names: readonly string[]): string {
  const [first = ''] = names.toSorted(byCodeUnit)
  const others = names.length - 1
  if (others === 0) return `${first}: ${reasons}`
  return `${first} (and ${others} other ${others === 1 ? 'pod' : 'pods'}): ${reasons}`
}

/** One pod of every controller comes before the second of any. */
function differentFirst(pods: readonly Pod[]): readonly Pod[] {
  const seen = new Set<string>()
  const copies = new Set<Pod>()
  for (const pod of pods) {
    const uid = controllerOf(pod)?.uid
    if (uid === undefined) continue
    if (seen.has(uid)) copies.add(pod)
    seen.add(uid)
  }
  return [...pods.filter((pod) => !copies.has(pod)), ...copies]
}
