/** Rules for `clusterIP`, `clusterIPs`, `ipFamilies` and `ipFamilyPolicy`: at most one address of each family. */

import { isIPv6 } from 'node:net'
import {
  duplicate,
  type FieldError,
  FieldPath,
  invalidValue,
  notSupported,
  required,
} from '../../../machinery/meta/field-error.ts'
import { ipErrors } from '../../field-rules.ts'
import type { Service } from '../types.gen.ts'
import { CLUSTER_IP_NONE, isExternalName, isHeadless } from './kinds.ts'

const FAMILIES = ['IPv4', 'IPv6']
const FAMILY_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack']

const clusterIpsPath = new FieldPath('spec.clusterIPs')

/** Addresses that the previous object had are not judged again. */
export function validateClusterIps(service: Service, previous?: Service): readonly FieldError[] {
  if (isExternalName(service)) return []
  const alone = addressErrors(service, previous?.spec.clusterIPs ?? [])
  const errors = [...agreementErrors(service), ...familyErrors(service), ...policyErrors(service), ...alone.errors]
  return alone.readable ? [...errors, ...stackErrors(service)] : errors
}

function agreementErrors({ spec }: Service): readonly FieldError[] {
  const { clusterIP = '', clusterIPs = [] } = spec
  if (clusterIP === '') {
    if (clusterIPs.length === 0) return []
    return [invalidValue(clusterIpsPath, clusterIPs, 'must be empty when `clusterIP` is not specified')]
  }
  if (clusterIPs.length === 0) return [required(clusterIpsPath)]
  if (clusterIPs[0] === clusterIP) return []
  return [invalidValue(clusterIpsPath, clusterIPs, 'first value must match `clusterIP`')]
}

function familyErrors({ spec }: Service): readonly FieldError[] {
  const { ipFamilies = [] } = spec
  return ipFamilies.flatMap((family, index) => {
    const path = new FieldPath('spec.ipFamilies').index(index)
    const errors = FAMILIES.includes(family) ? [] : [notSupported(path, family, FAMILIES)]
    return ipFamilies.indexOf(family) < index ? [...errors, duplicate(path, family)] : errors
  })
}

function policyErrors({ spec }: Service): readonly FieldError[] {
  const { ipFamilyPolicy: policy } = spec
  if (policy === undefined || FAMILY_POLICIES.includes(policy)) return []
  return [notSupported(new FieldPath('spec.ipFamilyPolicy'), policy, FAMILY_POLICIES)]
}

/** What is wrong with the addresses themselves; when they cannot be read, comparing them would only confuse. */
function addressErrors(
  { spec }: Service,
  known: readonly string[],
): { readonly errors: readonly FieldError[]; readonly readable: boolean } {
  const { clusterIPs = [] } = spec
  const errors = clusterIPs.flatMap((ip, index) => {
    if (index > 0 || ip !== CLUSTER_IP_NONE) return known.includes(ip) ? [] : ipErrors(clusterIpsPath.index(index), ip)
    if (clusterIPs.length === 1) return []
    return [invalidValue(clusterIpsPath, clusterIPs, "'None' must be the first and only value")]
  })
  const surplus =
    clusterIPs.length > 2 ? [invalidValue(clusterIpsPath, clusterIPs, 'may only hold up to 2 values')] : []
  return { errors: [...errors, ...surplus], readable: errors.length === 0 }
}

function stackErrors(service: Service): readonly FieldError[] {
  const { clusterIPs = [], ipFamilies = [] } = service.spec
  const errors: FieldError[] = []
  if (clusterIPs.length > 1 && new Set(clusterIPs.map(familyOf)).size < 2)
    errors.push(invalidValue(clusterIpsPath, clusterIPs, 'may specify no more than one IP for each IP family'))
  if (isHeadless(service)) return errors
  const mismatches = clusterIPs.flatMap((ip, index) => {
    const family = ipFamilies[index]
    if (!family || family === familyOf(ip)) return []
    const detail = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``
    return [invalidValue(clusterIpsPath.index(index), ip, detail)]
  })
  return [...errors, ...mismatches]
}

const familyOf = (ip: string): string => (isIPv6(ip) ? 'IPv6' : 'IPv4')
