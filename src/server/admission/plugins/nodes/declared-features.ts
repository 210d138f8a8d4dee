/**
 * NodeDeclaredFeatureValidator: a pod that has a node is not changed in a way that the node does not say it can follow.
 * Nodes say so in `status.declaredFeatures`.
 */

import { nodes } from '../../../../apis/core/node.ts'
import { isRestartableInit } from '../../../../apis/core/pod/pod-status.ts'
import type { Container, Pod } from '../../../../apis/core/types.gen.ts'
import { whenThere } from '../../../../base/awaitable.ts'
import { deepEqual } from '../../../../base/deep-equal.ts'
import type { AdmissionPlugin, AdmissionView } from '../../plugin.ts'
import { refused } from '../../refusal.ts'

/** What each feature is needed for. */
const NEEDED: readonly { readonly feature: string; readonly by: (pod: Pod, previous: Pod) => boolean }[] = [
  {
    feature: 'InPlacePodLevelResourcesVerticalScaling',
    by: ({ spec }, { spec: before }) => !deepEqual(spec?.resources, before?.resources),
  },
  {
    feature: 'InPlacePodVerticalScalingInitContainers',
    by: (pod, previous) => !deepEqual(initResources(pod), initResources(previous)),
  },
]

export function nodeDeclaredFeatures({ view }: { readonly view: AdmissionView }): AdmissionPlugin {
  return {
    name: 'NodeDeclaredFeatureValidator',
    operations: ['UPDATE'],
    about: ['/pods'],
    validate(attributes) {
      const { definition, subresource, object, previous } = attributes
      if (definition.group !== '' || definition.resource !== 'pods' || !object || !previous) return undefined
      if (subresource !== '' && subresource !== 'resize') return undefined
      // The attributes say that these are pods.
      const [pod, before] = [object as Pod, previous as Pod]
      const name = pod.spec?.nodeName ?? ''
      if (name === '' || pod.metadata.generation === before.metadata.generation) return undefined
      const needed = NEEDED.filter(({ by }) => by(pod, before)).map(({ feature }) => feature)
      if (needed.length === 0) return undefined
      return whenThere(view.get(nodes, { name }), (node) => {
        if (!node) throw refused(attributes, `node "${name}" not found`)
        const lacking = needed.filter((feature) => !node.status?.declaredFeatures?.includes(feature))
        if (lacking.length === 0) return
        const detail = `pod update requires features ${lacking.join(', ')} which are not available on node "${name}"`
        throw refused(attributes, detail)
      })
    },
  }
}

/** Of containers that run once, before the others. */
function initResources({ spec }: Pod): readonly unknown[] {
  const once = (spec?.initContainers ?? []).filter((container: Container) => !isRestartableInit(container))
  return once.map(({ resources }) => resources)
}
