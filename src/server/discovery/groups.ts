/** `/api`, `/apis` and `/apis/<group>`: which groups and versions are served, a function of definitions and registrations. */

import { apiServiceName, localPriorities } from '../../apis/apiregistration/automanaged.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import type { APIGroup, APIGroupList, APIVersions } from '../../apis/meta/types.gen.ts'
import { byCodeUnit, groupBy } from '../../base/group-by.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import { compareVersions } from '../../machinery/meta/version-order.ts'
import type { Registration } from './registration.ts'

export interface ServedGroup {
  readonly name: string
  /** Preferred first. */
  readonly versions: readonly string[]
  /** The greatest of its versions. */
  readonly priority: number
}

/** In serving order: by priority, then by the name of the APIService that has it. */
export function servedGroups(
  definitions: readonly ResourceDefinition[],
  registrations: readonly Registration[] = [],
): readonly ServedGroup[] {
  const served = servedVersions(definitions, registrations).toSorted(
    (left, right) =>
      right.groupPriority - left.groupPriority || byCodeUnit(apiServiceName(left), apiServiceName(right)),
  )
  return [...groupBy(served, ({ group }) => group)].map(([name, versions]) => ({
    name,
    versions: versions.toSorted(byPreference).map(({ version }) => version),
    priority: versions[0]?.groupPriority ?? 0,
  }))
}

/** Each once. What is registered as this server's own and has no definitions is served by nobody. */
function servedVersions(
  definitions: readonly ResourceDefinition[],
  registrations: readonly Registration[],
): readonly Registration[] {
  const versions = new Map<string, Registration>()
  for (const { group, version } of definitions) {
    const name = apiServiceName({ group, version })
    if (!versions.has(name)) versions.set(name, { group, version, ...localPriorities({ group, version }) })
  }
  for (const registration of registrations) {
    const name = apiServiceName(registration)
    if (registration.remote || versions.has(name)) versions.set(name, registration)
  }
  return [...versions.values()]
}

function byPreference(left: Registration, right: Registration): number {
  return right.versionPriority - left.versionPriority || compareVersions(left.version, right.version)
}

/** `serverAddress` is `host:port` as clients reach it. */
export function coreVersions(definitions: readonly ResourceDefinition[], serverAddress: string): APIVersions {
  const core = servedGroups(definitions).find(({ name }) => name === '')
  return {
    kind: 'APIVersions',
    versions: core?.versions ?? [],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  }
}

export function groupList(
  definitions: readonly ResourceDefinition[],
  registrations: readonly Registration[] = [],
): APIGroupList {
  const groups = servedGroups(definitions, registrations).filter(({ name }) => name !== '')
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(describeGroup) }
}

/** undefined when the group is not served. */
export function groupDocument(
  definitions: readonly ResourceDefinition[],
  name: string,
  registrations: readonly Registration[] = [],
): APIGroup | undefined {
  const group =
    name === '' ? undefined : servedGroups(definitions, registrations).find((served) => served.name === name)
  return group && { kind: 'APIGroup', apiVersion: 'v1', ...describeGroup(group) }
}

function describeGroup({ name, versions }: ServedGroup): APIGroup {
  const described = versions.map((version) => ({ groupVersion: apiVersionOf({ group: name, version }), version }))
  return { name, versions: described, preferredVersion: described[0] }
}
