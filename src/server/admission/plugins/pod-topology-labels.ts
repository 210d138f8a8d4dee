/** PodTopologyLabels: a pod that gets a node gets the labels of the node's zone and region with it. */

import { nodes } from '../../../apis/core/node.ts'
import type { Binding, Node, Pod } from '../../../apis/core/types.gen.ts'
import { whenThere } from '../../../base/awaitable.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { AdmissionPlugin, AdmissionView } from '../plugin.ts'

const LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

export function podTopologyLabels({ view }: { readonly view: AdmissionView }): AdmissionPlugin {
  return {
    name: 'PodTopologyLabels',
    operations: ['CREATE'],
    about: ['/pods'],
    mutate({ definition, subresource }, object) {
      if (definition.group !== '' || definition.resource !== 'pods') return object
      const name = nodeNameOf(subresource, object)
      if (name === '') return object
      return whenThere(view.get(nodes, { name }), (node) => withLabels(object, topologyOf(node)))
    },
  }
}

/** What is posted to `binding` names the node that the pod gets; a pod may come with one. */
function nodeNameOf(subresource: string, object: KubeObject): string {
  // The subresource says what the object is.
  if (subresource === '') return (object as Pod).spec?.nodeName ?? ''
  if (subresource !== 'binding') return ''
  const { target } = object as Binding
  return target?.kind === 'Node' ? (target.name ?? '') : ''
}

function topologyOf(node: Node | undefined): Readonly<Record<string, string>> {
  const labels = node?.metadata.labels ?? {}
  return Object.fromEntries(Object.entries(labels).filter(([label]) => LABELS.includes(label)))
}

function withLabels(object: KubeObject, labels: Readonly<Record<string, string>>): KubeObject {
  if (Object.keys(labels).length === 0) return object
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...labels } } }
}
