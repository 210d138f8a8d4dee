/** Taints keep pods off nodes unless they tolerate them. Prefers nodes with fewer soft taints not tolerated. */

import { tolerates } from '../../apis/core/pod/node-fit.ts'
import type { Pod, Taint, Toleration } from '../../apis/core/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { type Finding, normalizeByMax, type Plugin, reject } from '../framework.ts'
import type { NodeInfo } from '../snapshot.ts'

export const taintToleration: Plugin = {
  name: 'TaintToleration',
  isLocal: true,
  prepare(pod) {
    const tolerations = pod.pod.spec?.tolerations
    return {
      filter: (node) =>
        hardTaints(node).every((taint) => tolerates(tolerations, taint))
          ? undefined
          : reject('node(s) had untolerated taint(s)', false),
      scoring: () => ({
        score: (node) => softTaints(node).filter((taint) => !tolerates(tolerations, taint)).length,
        normalize: (scores) => normalizeByMax(scores, true),
        keepsTies: true,
      }),
      explain: (node) =>
        hardTaints(node)
          .filter((taint) => !tolerates(tolerations, taint))
          .map(finding),
    }
  },
  wakes(_pod, event) {
    if (event.resource === 'self') {
      return !deepEqual(event.pod.pod.spec?.tolerations, event.previous.pod.spec?.tolerations)
    }
    if (event.resource !== 'nodes') return false
    return !event.previous || !deepEqual(event.node.node.spec?.taints, event.previous.node.spec?.taints)
  },
}

export function hardTaints(node: NodeInfo): readonly Taint[] {
  return (node.node.spec?.taints ?? []).filter(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute')
}

function softTaints(node: NodeInfo): readonly Taint[] {
  return (node.node.spec?.taints ?? []).filter(({ effect }) => effect === 'PreferNoSchedule')
}

function finding(taint: Taint): Finding {
  const name = taint.value ? `${taint.key}=${taint.value}` : taint.key
  return {
    text: `taint ${name}:${taint.effect}`,
    remedy: { text: `tolerate ${name}`, apply: (pod) => withToleration(pod, taint) },
  }
}

function withToleration(pod: Pod, { key, value, effect }: Taint): Pod {
  const toleration: Toleration = { key, operator: 'Equal', value: value ?? '', effect }
  const tolerations = [...(pod.spec?.tolerations ?? []), toleration]
  return { ...pod, spec: { ...pod.spec, containers: pod.spec?.containers ?? [], tolerations } }
}
