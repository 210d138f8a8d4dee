/** What makes a StatefulSet's pod itself: its number, names, labels and claims. */

import { statefulSets } from '../../../apis/apps/stateful-set.ts'
import type { StatefulSet } from '../../../apis/apps/types.gen.ts'
import { templateSpec } from '../../../apis/core/pod/pod-status.ts'
import type { PersistentVolumeClaim, Pod, PodTemplateSpec } from '../../../apis/core/types.gen.ts'
import type { New } from '../../../client/client.ts'
import { REVISION_LABEL } from '../controller-history.ts'
import { podFromTemplate } from '../pod-template.ts'

const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name'
const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index'
/** Ordinals are 32-bit numbers. */
const ORDINAL_MAX = 2 ** 31 - 1

export function startOrdinal({ spec }: StatefulSet): number {
  return spec.ordinals?.start ?? 0
}

export function replicasOf({ spec }: StatefulSet): number {
  return spec.replicas ?? 1
}

export function ordinalsOf(set: StatefulSet): readonly number[] {
  return Array.from({ length: replicasOf(set) }, (_, index) => startOrdinal(set) + index)
}

export function isInRange(set: StatefulSet, ordinal: number): boolean {
  return ordinal >= startOrdinal(set) && ordinal < startOrdinal(set) + replicasOf(set)
}

export function podName({ metadata }: StatefulSet, ordinal: number): string {
  return `${metadata.name}-${ordinal}`
}

/** `web-3` → 3 for the set `web`; undefined for a pod that is no member by its name. */
export function ordinalOf({ metadata: { name: set } }: StatefulSet, { metadata }: Pod): number | undefined {
  const match = /^(.*)-(\d{1,10})$/.exec(metadata.name ?? '')
  if (!match || match[1] !== set) return undefined
  const ordinal = Number(match[2])
  return ordinal <= ORDINAL_MAX ? ordinal : undefined
}

export function claimName({ metadata }: StatefulSet, template: PersistentVolumeClaim, ordinal: number): string {
  return `${template.metadata.name}-${metadata.name}-${ordinal}`
}

export function revisionOf({ metadata }: Pod): string {
  return metadata.labels?.[REVISION_LABEL] ?? ''
}

export function newPod(set: StatefulSet, template: PodTemplateSpec, revision: string, ordinal: number): New<Pod> {
  const { metadata } = podFromTemplate(statefulSets, set, template)
  const name = podName(set, ordinal)
  return {
    metadata: {
      ...metadata,
      name,
      labels: { ...metadata.labels, ...identityLabels(set, ordinal), [REVISION_LABEL]: revision },
    },
    spec: {
      ...templateSpec(template),
      hostname: name,
      subdomain: set.spec.serviceName,
      volumes: volumesOf(set, template, ordinal),
    },
  }
}

function identityLabels(set: StatefulSet, ordinal: number): Readonly<Record<string, string>> {
  return { [POD_NAME_LABEL]: podName(set, ordinal), [POD_INDEX_LABEL]: String(ordinal) }
}

/** The template's volumes, where a claim of the same name takes a volume's place. */
function volumesOf(set: StatefulSet, template: PodTemplateSpec, ordinal: number) {
  const claims = (set.spec.volumeClaimTemplates ?? []).map((claim) => ({
    name: claim.metadata.name ?? '',
    persistentVolumeClaim: { claimName: claimName(set, claim, ordinal) },
  }))
  const taken = new Set(claims.map(({ name }) => name))
  return [...claims, ...(template.spec?.volumes ?? []).filter(({ name }) => !taken.has(name))]
}

/** The pod with its identity's labels; the same when it has them. */
export function withIdentity(set: StatefulSet, pod: Pod, ordinal: number): Pod {
  if (pod.metadata.labels?.[POD_NAME_LABEL] === podName(set, ordinal)) return pod
  const labels = { ...pod.metadata.labels, ...identityLabels(set, ordinal) }
  return { ...pod, metadata: { ...pod.metadata, labels } }
}
