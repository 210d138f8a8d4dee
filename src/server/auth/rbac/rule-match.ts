/** Whether a rule of a role allows what is asked for. */

import type { PolicyRule } from '../../../apis/rbac/types.gen.ts'
import type { Attributes } from '../authorizer.ts'

const EVERYTHING = '*'
const NONE: readonly string[] = []

export function ruleAllows(rule: PolicyRule, { verb, group, resource, subresource, name, path }: Attributes): boolean {
  const { verbs, apiGroups = NONE, resources = NONE, resourceNames = NONE, nonResourceURLs = NONE } = rule
  if (!has(verbs, verb)) return false
  // A review may ask about a resource without a name, which only a star matches.
  if (resource === '' && path !== '') return nonResourceURLs.some((pattern) => pathMatches(pattern, path))
  if (!has(apiGroups, group) || !resources.some((pattern) => resourceMatches(pattern, resource, subresource)))
    return false
  return resourceNames.length === 0 || resourceNames.includes(name)
}

function has(list: readonly string[], wanted: string): boolean {
  return list.includes(wanted) || list.includes(EVERYTHING)
}

/** `pods`, `pods/log`, all `*`, or a subresource of whatever has it: `*` and `/scale`. */
function resourceMatches(pattern: string, resource: string, subresource: string): boolean {
  if (pattern === EVERYTHING) return true
  if (subresource === '') return pattern === resource
  return pattern === `${resource}/${subresource}` || pattern === `*/${subresource}`
}

/** A path, or all that begin alike: `/apis/*`. */
export function pathMatches(pattern: string, path: string): boolean {
  if (pattern === EVERYTHING || pattern === path) return true
  return pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, ''))
}
