/**
 * A container's environment, in upstream's order: service variables, envFrom, env. Later entries win, and may refer to
 * earlier ones with `$(NAME)`. Pure; what is missing and not optional is a `RuntimeError` CreateContainerConfigError.
 */

import type { ConfigMap, Container, EnvVar, EphemeralContainer, Pod, Secret, Service } from '../apis/core/types.gen.ts'
import { isZero, quantityOf } from '../machinery/meta/quantity.ts'
import { expand } from './expansion.ts'
import { RuntimeError } from './runtime/runtime.ts'

export interface EnvironmentSources {
  configMap(namespace: string, name: string): ConfigMap | undefined
  secret(namespace: string, name: string): Secret | undefined
  /** Of the pod's namespace, and `default/kubernetes`. */
  services(namespace: string): readonly Service[]
  /** Of the node: what a container without limits may use. */
  readonly allocatable: Readonly<Record<string, string>>
  readonly hostIp: string
}

export interface EnvironmentInput {
  readonly pod: Pod
  readonly podIps: readonly string[]
  readonly container: Container | EphemeralContainer
  readonly sources: EnvironmentSources
}

export function environmentOf(input: EnvironmentInput): ReadonlyMap<string, string> {
  const { pod, container, sources } = input
  const namespace = pod.metadata.namespace ?? ''
  const result = new Map(serviceVariables(sources.services(namespace), namespace, pod.spec?.enableServiceLinks ?? true))
  const services = new Map(result)
  result.clear()
  for (const entry of container.envFrom ?? []) {
    for (const [key, value] of Object.entries(envFromData(entry, namespace, sources)))
      result.set(`${entry.prefix ?? ''}${key}`, value)
  }
  for (const variable of container.env ?? []) {
    const value = variableValue(variable, input, (name) => result.get(name) ?? services.get(name))
    if (value !== undefined) result.set(variable.name, value)
  }
  for (const [name, value] of services) if (!result.has(name)) result.set(name, value)
  return result
}

function envFromData(
  { configMapRef, secretRef }: NonNullable<Container['envFrom']>[number],
  namespace: string,
  sources: EnvironmentSources,
): Readonly<Record<string, string>> {
  if (configMapRef) {
    const found = sources.configMap(namespace, configMapRef.name ?? '')
    if (found) return found.data ?? {}
    if (!configMapRef.optional) throw missing(`configmap "${configMapRef.name}" not found`)
  }
  if (secretRef) {
    const found = sources.secret(namespace, secretRef.name ?? '')
    if (found) return Object.fromEntries(Object.entries(found.data ?? {}).map(([key, value]) => [key, decoded(value)]))
    if (!secretRef.optional) throw missing(`secret "${secretRef.name}" not found`)
  }
  return {}
}

function missing(message: string): RuntimeError {
  return new RuntimeError('CreateContainerConfigError', message)
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8')
}

function variableValue(
  { value, valueFrom }: EnvVar,
  input: EnvironmentInput,
  known: (name: string) => string | undefined,
): string | undefined {
  if (!valueFrom) return expand(value ?? '', known)
  const { pod, sources } = input
  const namespace = pod.metadata.namespace ?? ''
  if (valueFrom.fieldRef) return podField(valueFrom.fieldRef.fieldPath, input.pod, input.podIps, sources.hostIp)
  if (valueFrom.resourceFieldRef)
    return resourceField(valueFrom.resourceFieldRef, pod, input.container, sources.allocatable)
  if (valueFrom.configMapKeyRef) {
    const { name = '', key, optional } = valueFrom.configMapKeyRef
    const found = sources.configMap(namespace, name)
    const data = found?.data ?? {}
    if (Object.hasOwn(data, key)) return data[key]
    if (optional) return undefined
    throw missing(
      found ? `couldn't find key ${key} in ConfigMap ${namespace}/${name}` : `configmap "${name}" not found`,
    )
  }
  if (valueFrom.secretKeyRef) {
    const { name = '', key, optional } = valueFrom.secretKeyRef
    const found = sources.secret(namespace, name)
    const data = found?.data ?? {}
    const encoded = Object.hasOwn(data, key) ? data[key] : undefined
    if (encoded !== undefined) return decoded(encoded)
    if (optional) return undefined
    throw missing(found ? `couldn't find key ${key} in Secret ${namespace}/${name}` : `secret "${name}" not found`)
  }
  return undefined
}

/** A field of the downward API; undefined for one that has no value. */
export function podField(
  path: string,
  { metadata, spec }: Pod,
  podIps: readonly string[],
  hostIp: string,
): string | undefined {
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path)
  if (subscript) {
    const map = subscript[1] === 'labels' ? metadata.labels : metadata.annotations
    const key = subscript[2] ?? ''
    return map && Object.hasOwn(map, key) ? map[key] : ''
  }
  switch (path) {
    case 'metadata.name':
      return metadata.name
    case 'metadata.namespace':
      return metadata.namespace
    case 'metadata.uid':
      return metadata.uid
    case 'metadata.labels':
      return formatMap(metadata.labels)
    case 'metadata.annotations':
      return formatMap(metadata.annotations)
    case 'spec.nodeName':
      return spec?.nodeName
    case 'spec.serviceAccountName':
      return spec?.serviceAccountName
    case 'spec.hostname':
      return spec?.hostname
    case 'status.hostIP':
    case 'status.hostIPs':
      return hostIp
    case 'status.podIP':
      return podIps[0] ?? ''
    case 'status.podIPs':
      return podIps.join(',')
    default:
      throw missing(`unsupported fieldPath: ${path}`)
  }
}

/** One `key="value"` a line, sorted; values quoted as Go does. */
function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n')
}

interface ResourceReference {
  readonly containerName?: string | undefined
  readonly resource: string
  readonly divisor?: string | undefined
}

/** A container's request or limit in units of the divisor, rounded up. A missing limit is what the node can give. */
export function resourceField(
  reference: ResourceReference,
  { spec }: Pod,
  container: Container | EphemeralContainer | undefined,
  allocatable: Readonly<Record<string, string>>,
): string {
  const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]
  const target = reference.containerName ? all.find(({ name }) => name === reference.containerName) : container
  if (!target) throw missing(`container "${reference.containerName}" not found`)
  const [kind = '', ...rest] = reference.resource.split('.')
  const resource = rest.join('.')
  const { limits = {}, requests = {} } = target.resources ?? {}
  const quantity =
    kind === 'limits' ? (limits[resource] ?? allocatable[resource]) : (requests[resource] ?? limits[resource])
  const divisor = quantityOf(reference.divisor)
  const units = isZero(divisor) ? quantityOf('1').nano : divisor.nano
  return ((quantityOf(quantity).nano + units - 1n) / units).toString()
}

/** The variables of Docker links: `WEB_SERVICE_HOST`, `WEB_PORT_80_TCP_ADDR`, … */
export function serviceVariables(
  services: readonly Service[],
  namespace: string,
  withLinks: boolean,
): readonly (readonly [string, string])[] {
  return services.flatMap((service) => {
    const isMaster = service.metadata.namespace === 'default' && service.metadata.name === 'kubernetes'
    if (!isMaster && !(withLinks && service.metadata.namespace === namespace)) return []
    const host = service.spec?.clusterIP
    const ports = service.spec?.ports ?? []
    const [first] = ports
    if (!host || host === 'None' || !first) return []
    const name = variableName(service.metadata.name ?? '')
    return [
      [`${name}_SERVICE_HOST`, host] as const,
      [`${name}_SERVICE_PORT`, String(first.port)] as const,
      ...ports
        .filter((port) => port.name)
        .map((port) => [`${name}_SERVICE_PORT_${variableName(port.name ?? '')}`, String(port.port)] as const),
      [`${name}_PORT`, portUrl(first, host)] as const,
      ...ports.flatMap((port) => linkVariables(name, host, port)),
    ]
  })
}

interface ServicePort {
  readonly port: number
  readonly protocol?: string | undefined
}

function linkVariables(name: string, host: string, port: ServicePort): readonly (readonly [string, string])[] {
  const protocol = port.protocol ?? 'TCP'
  const prefix = `${name}_PORT_${port.port}_${protocol}`
  return [
    [prefix, portUrl(port, host)],
    [`${prefix}_PROTO`, protocol.toLowerCase()],
    [`${prefix}_PORT`, String(port.port)],
    [`${prefix}_ADDR`, host],
  ]
}

function portUrl({ port, protocol }: ServicePort, host: string): string {
  return `${(protocol ?? 'TCP').toLowerCase()}://${host}:${port}`
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_')
}
