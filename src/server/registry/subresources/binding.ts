/** Binding: the scheduler's word on where a pod runs. It is said once, and only about a pod that may run. */

import { validateBinding } from '../../../apis/core/pod/validate-binding.ts'
import type { Binding, Pod, PodCondition } from '../../../apis/core/types.gen.ts'
import { conflict, invalid } from '../../../machinery/meta/api-error.ts'
import { formatTime } from '../../../machinery/meta/time.ts'
import type { WriteOptions } from '../context.ts'
import type { Endpoint } from '../endpoint.ts'
import type { Registry } from '../registry.ts'

/** The name by which refusals call the endpoint. */
const BINDING = { group: '', resource: 'pods/binding' }

const endpoint: Endpoint<Pod> = {
  subresource: 'binding',
  prepareForUpdate: (object) => object,
  validate: () => [],
  resetFields: [],
}

/** Throws 409 when the pod has a node already, waits at a gate, or is on its way out. */
export async function bind(
  pods: Registry<Pod>,
  { namespace, name, nowMs }: { readonly namespace: string; readonly name: string; readonly nowMs: number },
  binding: Binding,
  options: WriteOptions,
): Promise<void> {
  const errors = validateBinding(binding)
  if (errors.length > 0) throw invalid({ group: '', kind: 'Binding' }, name, errors)
  const change = (live: Pod | undefined): Pod => {
    const obstacle = live && obstacleTo(live)
    if (!live || obstacle !== undefined) throw conflict(BINDING, name, obstacle ?? 'the pod is gone')
    return assigned(live, binding, nowMs)
  }
  const updating = { change, endpoint, creates: false, withoutVersion: 'taken', tracked: true } as const
  await pods.update({ namespace, name }, updating, options)
}

function obstacleTo({ metadata, spec }: Pod): string | undefined {
  const name = metadata.name ?? ''
  if (metadata.deletionTimestamp) return `pod ${name} is being deleted, cannot be assigned to a host`
  if (spec?.nodeName) return `pod ${name} is already assigned to node ${JSON.stringify(spec.nodeName)}`
  if (spec?.schedulingGates?.length) return `pod ${name} has non-empty .spec.schedulingGates`
  return undefined
}

function assigned(pod: Pod, { metadata, target }: Binding, nowMs: number): Pod {
  const { spec } = pod
  if (!spec) return pod
  const scheduled: PodCondition = { type: 'PodScheduled', status: 'True', lastTransitionTime: formatTime(nowMs) }
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== scheduled.type)
  const { annotations, labels } = pod.metadata
  const merged = {
    ...(metadata.annotations ? { annotations: { ...annotations, ...metadata.annotations } } : {}),
    ...(metadata.labels ? { labels: { ...labels, ...metadata.labels } } : {}),
  }
  return {
    ...pod,
    metadata: { ...pod.metadata, ...merged },
    spec: { ...spec, nodeName: target.name },
    status: { ...pod.status, conditions: [...others, scheduled] },
  }
}
