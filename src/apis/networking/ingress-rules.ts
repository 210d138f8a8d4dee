/** The rules of an ingress's hosts, paths and backends. */

import { isIp } from '../../base/ip.ts'
import { type FieldError, FieldPath, invalidValue, notSupported, required } from '../../machinery/meta/field-error.ts'
import {
  isDns1123Subdomain,
  isPathSegmentName,
  isValidPortName,
  isWildcardDns1123Subdomain,
} from '../../machinery/meta/names.ts'
import type { TypedLocalObjectReference } from '../core/types.gen.ts'
import { dnsLabelErrors, dnsSubdomainErrors, findingErrors, ipErrors, portNumberErrors } from '../field-rules.ts'
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressServiceBackend,
  IngressSpec,
  IngressTLS,
} from './types.gen.ts'

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix']
/** What a path that is compared literally must not have, as it would mean another path. */
const PATH_SEQUENCES = ['//', '/./', '/../', '%2f', '%2F']
const PATH_ENDINGS = ['/..', '/.']

export function ingressSpecErrors(spec: IngressSpec, path: FieldPath): readonly FieldError[] {
  const { rules = [], defaultBackend, tls = [], ingressClassName } = spec
  const isEmpty = rules.length === 0 && !defaultBackend
  return [
    ...(isEmpty ? [invalidValue(path, spec.rules, 'either `defaultBackend` or `rules` must be specified')] : []),
    ...(defaultBackend ? backendErrors(defaultBackend, path.child('defaultBackend')) : []),
    ...rules.flatMap((rule, index) => ruleErrors(rule, path.child('rules').index(index))),
    ...tls.flatMap((entry, index) => tlsErrors(entry, path.child('tls').index(index))),
    ...(ingressClassName === undefined ? [] : dnsSubdomainErrors(path.child('ingressClassName'), ingressClassName)),
  ]
}

function ruleErrors({ host, http }: IngressRule, path: FieldPath): readonly FieldError[] {
  const errors: FieldError[] = []
  const hostPath = path.child('host')
  if (host && isIp(host)) errors.push(invalidValue(hostPath, host, 'must be a DNS name, not an IP address'))
  if (host) errors.push(...hostErrors(host, hostPath))
  if (!http) return errors
  const pathsPath = path.child('http', 'paths')
  const paths = http.paths ?? []
  if (paths.length === 0) errors.push(required(pathsPath))
  return [...errors, ...paths.flatMap((one, index) => pathErrors(one, pathsPath.index(index)))]
}

function hostErrors(host: string, path: FieldPath): readonly FieldError[] {
  const rule = host.includes('*') ? isWildcardDns1123Subdomain : isDns1123Subdomain
  return findingErrors(path, host, rule(host))
}

function tlsErrors({ hosts = [], secretName }: IngressTLS, path: FieldPath): readonly FieldError[] {
  return [
    ...hosts.flatMap((host, index) => hostErrors(host, path.child('hosts').index(index))),
    ...(secretName ? dnsSubdomainErrors(path.child('secretName'), secretName) : []),
  ]
}

function pathErrors({ path: text = '', pathType, backend }: HTTPIngressPath, path: FieldPath): readonly FieldError[] {
  const place = path.child('path')
  if (typeof pathType !== 'string') return [required(path.child('pathType'), 'pathType must be specified')]
  const errors: FieldError[] = []
  const isSpecific = pathType === 'ImplementationSpecific'
  if (!PATH_TYPES.includes(pathType)) errors.push(notSupported(path.child('pathType'), pathType, PATH_TYPES))
  else if (!text.startsWith('/') && !(isSpecific && text === ''))
    errors.push(invalidValue(place, text, 'must be an absolute path'))
  if (pathType === 'Exact' || pathType === 'Prefix') errors.push(...literalPathErrors(text, place))
  return [...errors, ...backendErrors(backend ?? {}, path.child('backend'))]
}

function literalPathErrors(text: string, path: FieldPath): readonly FieldError[] {
  const sequences = PATH_SEQUENCES.filter((sequence) => text.includes(sequence))
  const endings = PATH_ENDINGS.filter((ending) => text.endsWith(ending))
  return [
    ...sequences.map((sequence) => invalidValue(path, text, `must not contain '${sequence}'`)),
    ...endings.map((ending) => invalidValue(path, text, `cannot end with '${ending}'`)),
  ]
}

function backendErrors({ resource, service }: IngressBackend, path: FieldPath): readonly FieldError[] {
  if (resource && service) return [invalidValue(path, '', 'cannot set both resource and service backends')]
  if (resource) return resourceErrors(resource, path.child('resource'))
  if (service) return serviceErrors(service, path)
  return [invalidValue(path, '', 'resource or service backend is required')]
}

function serviceErrors({ name = '', port = {} }: IngressServiceBackend, path: FieldPath): readonly FieldError[] {
  const namePath = path.child('service', 'name')
  const portPath = path.child('service', 'port')
  const errors = name === '' ? [required(namePath)] : dnsLabelErrors(namePath, name)
  if (port.name && port.number) return [...errors, invalidValue(path, '', 'cannot set both port name & port number')]
  if (port.name) return [...errors, ...findingErrors(portPath.child('name'), port.name, isValidPortName(port.name))]
  if (port.number) return [...errors, ...portNumberErrors(portPath.child('number'), port.number)]
  return [...errors, required(path, 'port name or number is required')]
}

function resourceErrors(reference: TypedLocalObjectReference, path: FieldPath): readonly FieldError[] {
  const { apiGroup, kind, name } = reference
  return [
    ...(apiGroup === undefined ? [] : dnsSubdomainErrors(path.child('apiGroup'), apiGroup)),
    ...segmentErrors(kind, path.child('kind')),
    ...segmentErrors(name, path.child('name')),
  ]
}

/** A name that is demanded and goes into a path. */
export function segmentErrors(name: string | undefined, path: FieldPath): readonly FieldError[] {
  return name ? findingErrors(path, name, isPathSegmentName(name)) : [required(path)]
}

/** Addresses that were there before are not judged anew. */
export function ingressStatusErrors({ status }: Ingress, previous: Ingress): readonly FieldError[] {
  const known = new Set((previous.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip))
  const path = new FieldPath('status.loadBalancer.ingress')
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }, index) => {
    const errors = ip && !known.has(ip) ? ipErrors(path.index(index).child('ip'), ip) : []
    if (!hostname) return errors
    const hostPath = path.index(index).child('hostname')
    errors.push(...dnsSubdomainErrors(hostPath, hostname))
    if (isIp(hostname)) errors.push(invalidValue(hostPath, hostname, 'must be a DNS name, not an IP address'))
    return errors
  })
}
