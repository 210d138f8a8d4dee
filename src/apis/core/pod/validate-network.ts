/** What a pod says about names and addresses: host name, DNS, entries for its hosts file. */

import { isIp } from '../../../base/ip.ts'
import {
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  required,
  tooLong,
} from '../../../machinery/meta/field-error.ts'
import { isDns1123SubdomainWithUnderscore } from '../../../machinery/meta/names.ts'
import { dnsLabelErrors, dnsSubdomainErrors, findingErrors } from '../../field-rules.ts'
import type { HostAlias, PodDNSConfig, PodSpec } from '../types.gen.ts'
import { validateChoice } from './findings.ts'

const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const NAMESERVERS_MAX = 3
const SEARCH_PATHS_MAX = 32
/** Characters of all search paths with a blank between them. */
const SEARCH_LIST_LENGTH_MAX = 2048
/** A host name must fit the kernel's field. */
const HOSTNAME_OVERRIDE_LENGTH_MAX = 64

export function validateHostNames({ hostname, subdomain }: PodSpec, path: FieldPath): FieldError[] {
  return [
    ...(hostname ? dnsLabelErrors(path.child('hostname'), hostname) : []),
    ...(subdomain ? dnsLabelErrors(path.child('subdomain'), subdomain) : []),
  ]
}

export function validateHostnameOverride(spec: PodSpec, path: FieldPath): FieldError[] {
  const { hostnameOverride } = spec
  if (hostnameOverride === undefined) return []
  const at = path.child('hostnameOverride')
  const errors: FieldError[] = []
  if (spec.setHostnameAsFQDN) errors.push(forbidden(at, 'may not be specified when setHostnameAsFQDN is true'))
  if (spec.hostNetwork) errors.push(forbidden(at, 'may not be specified when hostNetwork is true'))
  if (hostnameOverride.length > HOSTNAME_OVERRIDE_LENGTH_MAX) errors.push(tooLong(at, HOSTNAME_OVERRIDE_LENGTH_MAX))
  return [...errors, ...dnsSubdomainErrors(at, hostnameOverride)]
}

export function validateHostAliases(aliases: readonly HostAlias[] | undefined, path: FieldPath): FieldError[] {
  return (aliases ?? []).flatMap(({ ip, hostnames }, index) => {
    const address = isIp(ip ?? '') ? [] : findingErrors(path.index(index).child('ip'), ip ?? '', [INVALID_IP])
    const names = (hostnames ?? []).flatMap((name, position) =>
      dnsSubdomainErrors(path.index(index).child('hostnames').index(position), name),
    )
    return [...address, ...names]
  })
}

const INVALID_IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'

export function validateDns(spec: PodSpec, path: FieldPath): FieldError[] {
  const { dnsConfig, dnsPolicy } = spec
  const at = path.child('dnsConfig')
  const errors: FieldError[] = []
  if (dnsPolicy === 'None') {
    if (!dnsConfig) errors.push(required(at, 'must provide `dnsConfig` when `dnsPolicy` is None'))
    else if ((dnsConfig.nameservers ?? []).length === 0) {
      const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None'
      errors.push(required(at.child('nameservers'), detail))
    }
  }
  return dnsConfig ? [...errors, ...validateDnsConfig(dnsConfig, at)] : errors
}

export function validateDnsPolicy(spec: PodSpec, path: FieldPath): FieldError[] {
  return spec.dnsPolicy
    ? validateChoice(spec.dnsPolicy, DNS_POLICIES, path.child('dnsPolicy'))
    : [required(path.child('dnsPolicy'))]
}

function validateDnsConfig(
  { nameservers = [], searches = [], options = [] }: PodDNSConfig,
  at: FieldPath,
): FieldError[] {
  const errors: FieldError[] = []
  const servers = at.child('nameservers')
  if (nameservers.length > NAMESERVERS_MAX) {
    errors.push(invalidValue(servers, nameservers, `must not have more than ${NAMESERVERS_MAX} nameservers`))
  }
  for (const [index, server] of nameservers.entries()) {
    if (!isIp(server)) errors.push(invalidValue(servers.index(index), server, INVALID_IP))
  }
  const list = at.child('searches')
  if (searches.length > SEARCH_PATHS_MAX) {
    errors.push(invalidValue(list, searches, `must not have more than ${SEARCH_PATHS_MAX} search paths`))
  }
  if (searches.join(' ').length > SEARCH_LIST_LENGTH_MAX) {
    const detail = `must not have more than ${SEARCH_LIST_LENGTH_MAX} characters (including spaces) in the search list`
    errors.push(invalidValue(list, searches, detail))
  }
  for (const [index, search] of searches.entries()) {
    if (search === '.') continue
    const name = search.endsWith('.') ? search.slice(0, -1) : search
    errors.push(...findingErrors(list.index(index), name, isDns1123SubdomainWithUnderscore(name)))
  }
  for (const [index, option] of options.entries()) {
    if (!option.name) errors.push(required(at.child('options').index(index), 'must not be empty'))
  }
  return errors
}
