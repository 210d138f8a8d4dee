/** `/api`, `/apis` and `/apis/<group>`: which groups and versions are served, a function of the definitions. */

import type { ResourceDefinition } from '../../apis/definition.ts'
import type { APIGroup, APIGroupList, APIVersions } from '../../apis/meta/types.gen.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import { compareVersions } from '../../machinery/meta/version-order.ts'
import { groupOrder } from './facts.gen.ts'

export interface ServedGroup {
  readonly name: string
  /** Preferred first. */
  readonly versions: readonly string[]
}

/** Groups in serving order: built-in ones as upstream orders them, then the others by name. */
export function servedGroups(definitions: readonly ResourceDefinition[]): readonly ServedGroup[] {
  const versions = new Map<string, Set<string>>()
  for (const { group, version } of definitions) {
    const known = versions.get(group)
    if (known === undefined) versions.set(group, new Set([version]))
    else known.add(version)
  }
  const builtIn = groupOrder.filter(([group]) => versions.has(group)).map(([group]) => group)
  const others = [...versions.keys()].filter((group) => !builtIn.includes(group)).sort()
  return [...builtIn, ...others].map((name) => ({
    name,
    versions: byPreference(name, [...(versions.get(name) ?? [])]),
  }))
}

function byPreference(group: string, versions: readonly string[]): readonly string[] {
  const order = groupOrder.find(([name]) => name === group)?.[1] ?? []
  const rank = (version: string): number => (order.includes(version) ? order.indexOf(version) : order.length)
  return versions.toSorted((left, right) => rank(left) - rank(right) || compareVersions(left, right))
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

export function groupList(definitions: readonly ResourceDefinition[]): APIGroupList {
  const groups = servedGroups(definitions).filter(({ name }) => name !== '')
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(describeGroup) }
}

/** undefined when the group is not served. */
export function groupDocument(definitions: readonly ResourceDefinition[], name: string): APIGroup | undefined {
  const group = name === '' ? undefined : servedGroups(definitions).find((served) => served.name === name)
  return group && { kind: 'APIGroup', apiVersion: 'v1', ...describeGroup(group) }
}

function describeGroup({ name, versions }: ServedGroup): APIGroup {
  const described = versions.map((version) => ({ groupVersion: apiVersionOf({ group: name, version }), version }))
  return { name, versions: described, preferredVersion: described[0] }
}
