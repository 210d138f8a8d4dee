/** Binding: the scheduler's word on where a pod runs. It is said once, and only about a pod that may run. */

import { validateBinding } from '../../../apis/core/pod/validate-binding.ts'
import type { Binding, Pod, PodCondition, PodStatus } from '../../../apis/core/types.gen.ts'
import { conflict, invalid } from '../../../machinery/meta/api-error.ts'
import { formatTime } from '../../../machinery/meta/time.ts'
import type { WriteOptions } from '../context.ts'
import type { Registry } from '../registry.ts'

/** The name by which refusals call the endpoint. */
const BINDING = { group: '', resource: 'pods/binding' }

/** Throws 409 when the pod has a node already, waits at a gate, is on its way out, or is another than the binding's. */
export async function bind(
  pods: Registry<Pod>,
  { namespace, name, nowMs }: { readonly namespace: string; readonly name: string; readonly nowMs: number },
  binding: Binding,
  options: WriteOptions,
): Promise<void> {
  const errors = validateBinding(binding)
  if (errors.length > 0) throw invalid({ group: '', kind: 'Binding' }, name, errors)
  const { uid, resourceVersion } = binding.metadata
  const change = (live: Pod): Pod => {
    const obstacle = obstacleTo(live)
    if (obstacle !== undefined) throw conflict(BINDING, name, obstacle)
    return assigned(live, binding, nowMs)
  }
  await pods.amend({ namespace, name }, { uid, resourceVersion, change }, options)
}

function obstacleTo({ metadata, spec }: Pod): string | undefined {
  const name = metadata.name ?? ''
  if (metadata.deletionTimestamp) return `pod ${name} is being deleted, cannot be assigned to a host`
  if (spec?.nodeName) return `pod ${name} is already assigned to node ${JSON.stringify(spec.nodeName)}`
  if (spec?.schedulingGates?.length) return `pod ${name} has non-empty .spec.schedulingGates`
  return undefined
}

/** What stays as it is is the same object, so that it is neither looked at nor written down anew. */
function assigned(pod: Pod, { metadata, target }: Binding, nowMs: number): Pod {
  const { spec } = pod
  if (!spec) return pod
  const { annotations, labels } = pod.metadata
  const merged = {
    ...(metadata.annotations ? { annotations: { ...annotations, ...metadata.annotations } } : {}),
    ...(metadata.labels ? { labels: { ...labels, ...metadata.labels } } : {}),
  }
  return {
    ...pod,
    metadata: { ...pod.metadata, ...merged },
    spec: { ...spec, nodeName: target.name },
    status: scheduled(pod.status, nowMs),
  }
}

/** The wish for another node is fulfilled or void now. */
function scheduled(status: PodStatus | undefined, nowMs: number): PodStatus {
  const { nominatedNodeName: _, conditions = [], ...rest } = status ?? {}
  const index = conditions.findIndex(({ type }) => type === 'PodScheduled')
  const before = conditions[index]
  const lastTransitionTime = before?.status === 'True' ? before.lastTransitionTime : formatTime(nowMs)
  const condition: PodCondition = { type: 'PodScheduled', status: 'True', lastTransitionTime }
  return { ...rest, conditions: before ? conditions.with(index, condition) : [...conditions, condition] }
}
