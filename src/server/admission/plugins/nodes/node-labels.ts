/** Labels that a node must not give itself, lest it draw workloads that are meant for others. */

import { byCodeUnit } from '../../../../base/group-by.ts'

type Labels = Readonly<Record<string, string>>

/** Of the system's own labels only these are the node's to tell. */
const KUBELET_LABELS: ReadonlySet<string> = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
])
const KUBELET_DOMAINS = ['kubelet.kubernetes.io', 'node.kubernetes.io']
const SYSTEM_DOMAINS = ['kubernetes.io', 'k8s.io']
const RESTRICTED_DOMAIN = 'node-restriction.kubernetes.io'

/** The changed labels that may not be, as a list; undefined: none. */
export function labelsFinding(labels: Labels = {}, previous: Labels = {}): string | undefined {
  const keys = new Set([...Object.keys(labels), ...Object.keys(previous)])
  const changed = [...keys].filter((key) => labels[key] !== previous[key])
  const forbidden = changed.filter(isForbidden).sort(byCodeUnit)
  return forbidden.length > 0 ? forbidden.join(', ') : undefined
}

function isForbidden(key: string): boolean {
  const slash = key.indexOf('/')
  const domain = slash < 0 ? '' : key.slice(0, slash)
  if (isWithin(domain, RESTRICTED_DOMAIN)) return true
  if (!SYSTEM_DOMAINS.some((system) => isWithin(domain, system))) return false
  return !KUBELET_LABELS.has(key) && !KUBELET_DOMAINS.some((own) => isWithin(domain, own))
}

function isWithin(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`)
}
