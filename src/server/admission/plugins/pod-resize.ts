/** PodResizeValidator: a running pod is not resized to more than its node has. */

import { nodes } from '../../../apis/core/node.ts'
import { podRequests, quantitiesOf } from '../../../apis/core/pod/pod-resources.ts'
import type { Node, Pod } from '../../../apis/core/types.gen.ts'
import { whenThere } from '../../../base/awaitable.ts'
import { ApiError } from '../../../machinery/meta/api-error.ts'
import { compareQuantities, quantityMilliValue, quantityValue, zeroQuantity } from '../../../machinery/meta/quantity.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import type { AdmissionPlugin, AdmissionView } from '../plugin.ts'
import { refused } from '../refusal.ts'

export function podResize({ view }: { readonly view: AdmissionView }): AdmissionPlugin {
  return {
    name: 'PodResizeValidator',
    operations: ['UPDATE'],
    about: ['/pods'],
    validate(attributes) {
      const { definition, subresource, object, previous } = attributes
      if (definition.group !== '' || definition.resource !== 'pods' || subresource !== 'resize' || !object)
        return undefined
      // The attributes say that it is a pod.
      const pod = object as Pod
      const name = pod.spec?.nodeName ?? ''
      if (name === '' || pod.metadata.generation === previous?.metadata.generation) return undefined
      return whenThere(view.get(nodes, { name }), (node) => {
        if (!node) throw refused(attributes, `node "${name}" not found`)
        checkNode(attributes, pod, node)
      })
    },
  }
}

function checkNode(attributes: AdmissionAttributes, pod: Pod, node: Node): void {
  const system = node.metadata.labels?.['kubernetes.io/os'] ?? 'linux'
  if (system !== 'linux') {
    const detail = `pod resize is only supported on linux nodes, node "${node.metadata.name}" is "${system}"`
    throw because(attributes, 'UnsupportedPlatform', detail)
  }
  const lacking = lackingText(pod, node)
  if (lacking !== '')
    throw because(attributes, 'NodeCapacity', `node didn't have enough allocatable resources: ${lacking}`)
}

const MEASURES = [
  { name: 'cpu', figure: quantityMilliValue },
  { name: 'memory', figure: quantityValue },
] as const

function lackingText(pod: Pod, { status }: Node): string {
  const requests = podRequests(pod)
  const allocatable = quantitiesOf(status?.allocatable)
  return MEASURES.flatMap(({ name, figure }) => {
    const [wanted, there] = [requests.get(name) ?? zeroQuantity, allocatable.get(name) ?? zeroQuantity]
    if (compareQuantities(wanted, there) <= 0) return []
    return [`${name}, requested: ${figure(wanted)}, allocatable: ${figure(there)}`]
  }).join('; ')
}

function because(attributes: AdmissionAttributes, reason: string, detail: string): ApiError {
  const { code, reason: status, message, status: answer } = refused(attributes, detail)
  return new ApiError(code, status, message, { ...answer.details, causes: [{ reason }] })
}
