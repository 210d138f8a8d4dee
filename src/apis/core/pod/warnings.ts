/** Texts for the `Warning` header: what is allowed in a pod and probably not meant, or on its way out. */

import { FieldPath } from '../../../machinery/meta/field-error.ts'
import { sharedFact } from '../../../machinery/schema/shared.ts'
import type { Container, ContainerPort, Pod, PodSpec, PodTemplateSpec } from '../types.gen.ts'
import { templateSpec } from './pod-status.ts'

export function podWarnings(pod: Pod, previous: Pod | undefined): readonly string[] {
  return previous ? [] : ownSpecWarnings(templateSpec(pod))
}

const specPath = new FieldPath('spec')
const ownSpecWarnings = sharedFact((spec: PodSpec) => podSpecWarnings(spec, specPath))

export function podTemplateWarnings(template: PodTemplateSpec, path: FieldPath): readonly string[] {
  return podSpecWarnings(templateSpec(template), path.child('spec'))
}

/** Labels of nodes that have a newer name. */
const DEPRECATED_NODE_LABELS: ReadonlyMap<string, string> = new Map([
  ['beta.kubernetes.io/arch', 'kubernetes.io/arch'],
  ['beta.kubernetes.io/os', 'kubernetes.io/os'],
  ['failure-domain.beta.kubernetes.io/region', 'topology.kubernetes.io/region'],
  ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
  ['beta.kubernetes.io/instance-type', 'node.kubernetes.io/instance-type'],
])

function podSpecWarnings(spec: PodSpec, path: FieldPath): readonly string[] {
  return [
    ...nodeLabelWarnings(spec, path),
    ...volumeWarnings(spec, path),
    ...duplicateWarnings(spec, path),
    ...containersWarnings(spec.initContainers, path.child('initContainers')),
    ...containersWarnings(spec.containers, path.child('containers')),
    ...affinityWarnings(spec, path),
    ...graceWarnings(spec, path),
  ]
}

/** What there is to say against a label of nodes, if anything. */
export function deprecatedNodeLabelText(key: string): string | undefined {
  const successor = DEPRECATED_NODE_LABELS.get(key)
  return successor && `deprecated since v1.14; use "${successor}" instead`
}

function nodeLabelWarnings(spec: PodSpec, path: FieldPath): readonly string[] {
  return Object.keys(spec.nodeSelector ?? {}).flatMap((key) => {
    const text = deprecatedNodeLabelText(key)
    return text ? [`${path.child('nodeSelector').key(key)}: ${text}`] : []
  })
}

const DEPRECATED_VOLUMES: ReadonlyMap<string, string> = new Map([
  ['gitRepo', 'deprecated in v1.11'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
])

function volumeWarnings(spec: PodSpec, path: FieldPath): readonly string[] {
  return (spec.volumes ?? []).flatMap((volume, index) =>
    Object.keys(volume).flatMap((source) => {
      const text = DEPRECATED_VOLUMES.get(source)
      return text ? [`${path.child('volumes').index(index).child(source)}: ${text}`] : []
    }),
  )
}

function duplicateWarnings(spec: PodSpec, path: FieldPath): readonly string[] {
  const warnings: string[] = []
  const secrets = new Set<string>()
  for (const [index, { name = '' }] of (spec.imagePullSecrets ?? []).entries()) {
    const at = path.child('imagePullSecrets').index(index).child('name')
    if (name === '') warnings.push(`${at}: invalid empty name ""`)
    else if (secrets.has(name)) warnings.push(`${at}: duplicate name "${name}"`)
    secrets.add(name)
  }
  const addresses = new Set<string>()
  for (const [index, { ip }] of (spec.hostAliases ?? []).entries()) {
    if (addresses.has(ip)) warnings.push(`${path.child('hostAliases').index(index).child('ip')}: duplicate ip "${ip}"`)
    addresses.add(ip)
  }
  return warnings
}

function containersWarnings(containers: readonly Container[] | undefined, path: FieldPath): readonly string[] {
  return (containers ?? []).flatMap((container, index) => [
    ...variableWarnings(container, path.index(index)),
    ...portWarnings(container, path.index(index)),
    ...amountWarnings(container, path.index(index)),
  ])
}

function variableWarnings(container: Container, path: FieldPath): readonly string[] {
  const names = new Set<string>()
  return (container.env ?? []).flatMap(({ name, value }, index) => {
    const repeated = names.has(name)
    names.add(name)
    // `PATH=/mine:$(PATH)` builds on the earlier one.
    if (!repeated || value?.includes(`$(${name})`)) return []
    return [
      `${path.child('env').index(index)}: hides previous definition of "${name}", which may be dropped when using apply`,
    ]
  })
}

function portWarnings(container: Container, path: FieldPath): readonly string[] {
  const seen = new Map<string, number>()
  return (container.ports ?? []).flatMap((port, index) => {
    const identity = `${port.containerPort}/${port.protocol}/${port.hostIP ?? ''}/${port.hostPort ?? 0}`
    const first = seen.get(identity)
    const ports = path.child('ports')
    const pointless =
      port.hostIP && !port.hostPort ? [`${ports.index(index)}: hostIP set without hostPort: ${goText(port)}`] : []
    if (first !== undefined)
      return [...pointless, `${ports.index(index)}: duplicate port definition with ${ports.index(first)}`]
    seen.set(identity, index)
    return pointless
  })
}

/** A port as Go prints it. */
function goText({ name = '', hostPort = 0, containerPort, protocol, hostIP = '' }: ContainerPort): string {
  return `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol ?? ''} HostIP:${hostIP}}`
}

/** `100m` of memory is a tenth of a byte; somebody meant `100M`. */
function amountWarnings(container: Container, path: FieldPath): readonly string[] {
  return (['limits', 'requests'] as const).flatMap((list) =>
    ['memory', 'ephemeral-storage'].flatMap((name) => {
      const text = container.resources?.[list]?.[name]
      const at = path.child('resources', list).key(name)
      return text?.endsWith('m') ? [`${at}: fractional byte value "${text}" is invalid, must be an integer`] : []
    }),
  )
}

/** A term without a selector matches no pod at all. */
function affinityWarnings({ affinity, topologySpreadConstraints = [] }: PodSpec, path: FieldPath): readonly string[] {
  const places = (['podAffinity', 'podAntiAffinity'] as const).flatMap((side) => {
    const at = path.child('affinity', side)
    const needed = affinity?.[side]?.requiredDuringSchedulingIgnoredDuringExecution ?? []
    const wished = affinity?.[side]?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    return [
      ...needed.map(
        (term, index) => [at.child('requiredDuringSchedulingIgnoredDuringExecution').index(index), term] as const,
      ),
      ...wished.map(({ podAffinityTerm }, index) => {
        const place = at.child('preferredDuringSchedulingIgnoredDuringExecution').index(index)
        return [place.child('podAffinityTerm'), podAffinityTerm] as const
      }),
    ]
  })
  const constraints = topologySpreadConstraints.map(
    (constraint, index) => [path.child('topologySpreadConstraints').index(index), constraint] as const,
  )
  return [...places, ...constraints]
    .filter(([, term]) => term?.labelSelector === undefined)
    .map(([place]) => `${place.child('labelSelector')}: a null labelSelector results in matching no pod`)
}

function graceWarnings({ terminationGracePeriodSeconds: seconds }: PodSpec, path: FieldPath): readonly string[] {
  if (seconds === undefined || seconds >= 0) return []
  return [
    `${path.child('terminationGracePeriodSeconds')}: must be >= 0; negative values are invalid and will be treated as 1`,
  ]
}
