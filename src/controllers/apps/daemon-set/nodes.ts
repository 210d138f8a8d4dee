/** Which nodes a DaemonSet's pods belong on, and how a pod is bound to its node. */

import { daemonSets } from '../../../apis/apps/daemon-set.ts'
import type { DaemonSet } from '../../../apis/apps/types.gen.ts'
import { matchesNode, tolerates } from '../../../apis/core/pod/node-fit.ts'
import { templateSpec } from '../../../apis/core/pod/pod-status.ts'
import type { Affinity, Node, NodeSelectorTerm, Pod, PodSpec, Toleration } from '../../../apis/core/types.gen.ts'
import type { New } from '../../../client/client.ts'
import { REVISION_LABEL } from '../controller-history.ts'
import { podFromTemplate } from '../pod-template.ts'

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'
const GENERATION_LABEL = 'pod-template-generation'

export interface Fit {
  /** A pod belongs on the node. */
  readonly runs: boolean
  /** A pod that is there already may stay. */
  readonly stays: boolean
}

const MISFIT: Fit = { runs: false, stays: false }

export function fitOf({ spec }: DaemonSet, node: Node): Fit {
  const pod = templateSpec(spec.template)
  if (pod.nodeName && pod.nodeName !== node.metadata.name) return MISFIT
  if (!matchesNode(pod, node)) return MISFIT
  const tolerations = daemonTolerations(pod)
  const untolerated = (node.spec?.taints ?? []).filter((taint) => !tolerates(tolerations, taint))
  return {
    runs: untolerated.every(({ effect }) => effect === 'PreferNoSchedule'),
    stays: untolerated.every(({ effect }) => effect !== 'NoExecute'),
  }
}

/** The node that a pod is on or waits for. */
export function targetNode({ spec }: Pod): string | undefined {
  if (spec?.nodeName) return spec.nodeName
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const fields = (required?.nodeSelectorTerms ?? []).flatMap(({ matchFields = [] }) => matchFields)
  const named = fields.find(({ key, operator }) => key === 'metadata.name' && operator === 'In')
  return named?.values?.length === 1 ? named.values[0] : undefined
}

/** The pod for one node; the scheduler binds it there. `hash`: of the revision it is made of. */
export function newDaemonPod(daemonSet: DaemonSet, hash: string, node: string): New<Pod> {
  const { metadata, spec } = podFromTemplate(daemonSets, daemonSet, daemonSet.spec.template)
  const template = spec ?? { containers: [] }
  return {
    metadata: { ...metadata, labels: { ...metadata.labels, ...generationLabel(daemonSet), [REVISION_LABEL]: hash } },
    spec: { ...template, affinity: boundTo(node, template.affinity), tolerations: daemonTolerations(template) },
  }
}

function generationLabel({ metadata }: DaemonSet): Readonly<Record<string, string>> {
  const generation = metadata.annotations?.[TEMPLATE_GENERATION]
  return generation === undefined ? {} : { [GENERATION_LABEL]: generation }
}

/** Of the current template: by its revision, or by the generation that pods made before revisions carry. */
export function isUpdated(daemonSet: DaemonSet, hash: string, { metadata }: Pod): boolean {
  const { labels = {} } = metadata
  const generation = generationLabel(daemonSet)[GENERATION_LABEL]
  return labels[REVISION_LABEL] === hash || (generation !== undefined && labels[GENERATION_LABEL] === generation)
}

/** The template's own required terms have chosen the node and are not needed any more. */
function boundTo(node: string, affinity: Affinity | undefined): Affinity {
  const matchFields: NodeSelectorTerm['matchFields'] = [{ key: 'metadata.name', operator: 'In', values: [node] }]
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] },
    },
  }
}

/** A daemon stays on a node in trouble, and comes up on one that is not ready for others. */
function daemonTolerations({ hostNetwork, tolerations = [] }: PodSpec): readonly Toleration[] {
  const automatic = [
    forTaint('node.kubernetes.io/not-ready', 'NoExecute'),
    forTaint('node.kubernetes.io/unreachable', 'NoExecute'),
    forTaint('node.kubernetes.io/disk-pressure', 'NoSchedule'),
    forTaint('node.kubernetes.io/memory-pressure', 'NoSchedule'),
    forTaint('node.kubernetes.io/pid-pressure', 'NoSchedule'),
    forTaint('node.kubernetes.io/unschedulable', 'NoSchedule'),
    ...(hostNetwork ? [forTaint('node.kubernetes.io/network-unavailable', 'NoSchedule')] : []),
  ]
  const isAutomatic = (toleration: Toleration) => automatic.some((other) => sameToleration(toleration, other))
  return [...tolerations.filter((toleration) => !isAutomatic(toleration)), ...automatic]
}

function forTaint(key: string, effect: Toleration['effect']): Toleration {
  return { key, operator: 'Exists', effect }
}

function sameToleration(left: Toleration, right: Toleration): boolean {
  return left.key === right.key && left.effect === right.effect && left.operator === right.operator && !left.value
}
