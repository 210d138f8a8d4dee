/** The APIServices of what this server serves itself: of its own groups, and of those of custom resources. */

import type { GroupVersion } from '../../machinery/meta/group-version.ts'
import type { APIService } from './types.gen.ts'

/** Says that the server keeps an APIService: `onstart`, right when it starts; `true`, at all times. */
export const AUTOMANAGED_LABEL = 'kube-aggregator.kubernetes.io/automanaged'

type Priorities = readonly [group: number, version: number]

/** Upstream's priorities: groups and versions that clients prefer have greater ones. */
const PRIORITIES: Readonly<Record<string, Priorities>> = {
  'v1.': [18_000, 1],
  'v1.admissionregistration.k8s.io': [16_700, 15],
  'v1.apiextensions.k8s.io': [16_700, 15],
  'v1.apps': [17_800, 15],
  'v1.authentication.k8s.io': [17_700, 15],
  'v1.authorization.k8s.io': [17_600, 15],
  'v1.autoscaling': [17_500, 15],
  'v1.batch': [17_400, 15],
  'v1.certificates.k8s.io': [17_300, 15],
  'v1.coordination.k8s.io': [16_500, 15],
  'v1.discovery.k8s.io': [16_200, 15],
  'v1.events.k8s.io': [17_750, 15],
  'v1.flowcontrol.apiserver.k8s.io': [16_100, 21],
  'v1.networking.k8s.io': [17_200, 15],
  'v1.node.k8s.io': [16_300, 15],
  'v1.policy': [17_100, 15],
  'v1.rbac.authorization.k8s.io': [17_000, 15],
  'v1.resource.k8s.io': [16_200, 21],
  'v1.scheduling.k8s.io': [16_600, 15],
  'v1.storage.k8s.io': [16_800, 15],
  'v2.autoscaling': [17_500, 30],
}
const CUSTOM_PRIORITIES: Priorities = [1000, 100]

/** Of group versions that have no APIService: upstream's own first place, and what metrics-server registers with. */
const UNREGISTERED: Readonly<Record<string, Priorities>> = {
  'v1.apiregistration.k8s.io': [20_001, 0],
  'v1beta1.metrics.k8s.io': [100, 100],
}

export function apiServiceName({ group, version }: GroupVersion): string {
  return `${version}.${group}`
}

/** With which this server serves a group version while nobody says otherwise. */
export function localPriorities(groupVersion: GroupVersion): {
  readonly groupPriority: number
  readonly versionPriority: number
} {
  const name = apiServiceName(groupVersion)
  const known = [PRIORITIES, UNREGISTERED].find((table) => Object.hasOwn(table, name))?.[name]
  const [groupPriority, versionPriority] = known ?? CUSTOM_PRIORITIES
  return { groupPriority, versionPriority }
}

/** For each of these group versions that is the server's own, each once; its own registration has none. */
export function localApiServices(served: readonly GroupVersion[]): readonly APIService[] {
  const byName = new Map(served.map((groupVersion) => [apiServiceName(groupVersion), groupVersion]))
  return [...byName].flatMap(([name, groupVersion]) => {
    const priorities = Object.hasOwn(PRIORITIES, name) ? PRIORITIES[name] : undefined
    return priorities === undefined ? [] : [apiService(groupVersion, priorities, 'onstart')]
  })
}

export function customApiService(groupVersion: GroupVersion): APIService {
  return apiService(groupVersion, CUSTOM_PRIORITIES, 'true')
}

function apiService(
  { group, version }: GroupVersion,
  [groupPriorityMinimum, versionPriority]: Priorities,
  managed: 'onstart' | 'true',
): APIService {
  const metadata = { name: apiServiceName({ group, version }), labels: { [AUTOMANAGED_LABEL]: managed } }
  return { metadata, spec: { group, version, groupPriorityMinimum, versionPriority } }
}
