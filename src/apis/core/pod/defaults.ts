/** Defaults of pods, pod specs and pod templates. Idempotent; some belong to pods only, not to templates. */

import { mapField, mapItems, withAbsent, withZero } from '../../field-defaults.ts'
import { podSpecStep } from '../shared-pod-spec.ts'
import type { Container, Pod, PodSpec, PodStatus, PodTemplateSpec } from '../types.gen.ts'
import { defaultContainer } from './containers/default-container.ts'
import { defaultPodResources } from './default-resources.ts'
import { roundedList } from './resource-list.ts'
import { defaultVolume } from './volumes/default-volume.ts'

export function defaultPod(pod: Pod): Pod {
  const spec = completed(pod.spec ?? { containers: [] })
  return mapField(spec === pod.spec ? pod : { ...pod, spec }, 'status', withAddresses)
}

/** Specs that lack nothing: what an update leaves alone is the very same one. */
const completeSpecs = new WeakSet<PodSpec>()

const completed = podSpecStep((spec) => {
  if (completeSpecs.has(spec)) return spec
  const result = defaultPodOnly(defaultPodSpec(spec))
  // Frozen all the way down: what is complete stays so.
  if (result === spec && Object.isFrozen(spec)) completeSpecs.add(spec)
  return result
})

/** `podIP` is the first of `podIPs`, whichever of them was written. */
function withAddresses(status: PodStatus): PodStatus {
  const { podIP, podIPs = [] } = status
  const first = podIPs[0]?.ip
  if (podIP && podIP !== first) return { ...status, podIPs: [{ ip: podIP }] }
  return !podIP && first ? { ...status, podIP: first } : status
}

export function defaultPodTemplateSpec(template: PodTemplateSpec): PodTemplateSpec {
  return mapField(template, 'spec', defaultPodSpec)
}

function defaultPodSpec(spec: PodSpec): PodSpec {
  const filled = withZero(spec, {
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
  })
  const complete = withAbsent(withServiceAccount(filled), { securityContext: {}, terminationGracePeriodSeconds: 30 })
  return steps.reduce((result, step) => step(result), complete)
}

const steps: readonly ((spec: PodSpec) => PodSpec)[] = [
  (spec) => mapField(spec, 'volumes', (volumes) => mapItems(volumes, defaultVolume)),
  (spec) => mapField(spec, 'initContainers', (containers) => mapItems(containers, defaultContainer)),
  (spec) => mapField(spec, 'containers', (containers) => mapItems(containers, defaultContainer)),
  (spec) => mapField(spec, 'ephemeralContainers', (containers) => mapItems(containers, defaultContainer)),
  (spec) => mapField(spec, 'overhead', roundedList),
]

/** `serviceAccount` is the old spelling of `serviceAccountName`: both always say the same. */
function withServiceAccount(spec: PodSpec): PodSpec {
  const name = spec.serviceAccountName || spec.serviceAccount
  if (!name || (spec.serviceAccount === name && spec.serviceAccountName === name)) return spec
  return { ...spec, serviceAccountName: name, serviceAccount: name }
}

function defaultPodOnly(spec: PodSpec): PodSpec {
  const linked = withAbsent(spec, { enableServiceLinks: true })
  const change = (container: Container) => withHostPorts(withRequests(container), spec.hostNetwork === true)
  const containers = mapField(linked, 'containers', (items) => mapItems(items, change))
  return defaultPodResources(mapField(containers, 'initContainers', (items) => mapItems(items, change)))
}

/** Who sets a limit and no request means to request as much. */
function withRequests(container: Container): Container {
  return mapField(container, 'resources', (resources) => {
    const { limits } = resources
    if (!limits) return resources
    const requests = withAbsent(resources.requests ?? {}, limits)
    return requests === resources.requests || Object.keys(requests).length === 0
      ? resources
      : { ...resources, requests }
  })
}

/** In the node's network a container's port is the node's. */
function withHostPorts(container: Container, hostNetwork: boolean): Container {
  if (!hostNetwork) return container
  return mapField(container, 'ports', (ports) =>
    mapItems(ports, (port) => withZero(port, { hostPort: port.containerPort })),
  )
}
