/**
 * Whether some rules give everything that others do. Those others are broken down to one verb on one resource (of one
 * name), which a single rule either covers or does not; what nobody covers is listed, put together again for people.
 */

import type { PolicyRule } from '../../../apis/rbac/types.gen.ts'
import { byCodeUnit, groupBy } from '../../../base/group-by.ts'
import { quotedList } from '../texts.ts'
import { pathMatches } from './rule-match.ts'

type Rules = readonly PolicyRule[] | null | undefined

/** The smallest parts of `wanted` that no rule of `held` covers. */
export function missingRules(held: Rules, wanted: Rules): readonly PolicyRule[] {
  return (wanted ?? [])
    .flatMap((rule) => [...smallestParts(rule)])
    .filter((part) => !(held ?? []).some((rule) => covers(rule, part)))
}

function* smallestParts(rule: PolicyRule): Generator<PolicyRule> {
  const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule
  // What nobody has validated yet may have none, written as null.
  const verbs = rule.verbs ?? []
  for (const group of apiGroups)
    for (const resource of resources)
      for (const verb of verbs) {
        const part = { apiGroups: [group], resources: [resource], verbs: [verb] }
        if (resourceNames.length === 0) yield part
        for (const name of resourceNames) yield { ...part, resourceNames: [name] }
      }
  for (const path of nonResourceURLs) for (const verb of verbs) yield { nonResourceURLs: [path], verbs: [verb] }
}

function covers(rule: PolicyRule, part: PolicyRule): boolean {
  const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule
  const names = part.resourceNames ?? []
  return (
    hasAll(rule.verbs, part.verbs) &&
    hasAll(apiGroups, part.apiGroups ?? []) &&
    (part.resources ?? []).every((resource) => coversResource(resources, resource)) &&
    (part.nonResourceURLs ?? []).every((path) => nonResourceURLs.some((pattern) => pathMatches(pattern, path))) &&
    (resourceNames.length === 0 || (names.length > 0 && names.every((name) => resourceNames.includes(name))))
  )
}

function hasAll(held: readonly string[], wanted: readonly string[]): boolean {
  return held.includes('*') || wanted.every((one) => held.includes(one))
}

function coversResource(held: readonly string[], resource: string): boolean {
  if (held.includes('*') || held.includes(resource)) return true
  const slash = resource.indexOf('/')
  return slash >= 0 && held.includes(`*/${resource.slice(slash + 1)}`)
}

/** One line per resource with all verbs that are missing on it, sorted: what upstream's refusals list. */
export function ruleLines(rules: readonly PolicyRule[]): readonly string[] {
  const byResource = groupBy(rules, ({ verbs: _, ...rest }) => JSON.stringify(rest))
  const merged = [...byResource.values()].flatMap((parts) => {
    const [first] = parts
    if (!first) return []
    return first.nonResourceURLs ? parts : [{ ...first, verbs: parts.flatMap(({ verbs }) => verbs) }]
  })
  return [...new Set(merged.map(ruleLine))].sort(byCodeUnit)
}

function ruleLine({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: PolicyRule): string {
  const parts: readonly (readonly [string, readonly string[] | undefined])[] = [
    ['APIGroups', apiGroups],
    ['Resources', resources],
    ['NonResourceURLs', nonResourceURLs],
    ['ResourceNames', resourceNames],
    ['Verbs', verbs],
  ]
  const texts = parts.flatMap(([name, list]) => (list && list.length > 0 ? [`${name}:${quotedList(list)}`] : []))
  return `{${texts.join(', ')}}`
}
