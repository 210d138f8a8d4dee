/**
 * The audit policy: which requests are logged, at what level, and which of their stages are left out. The first rule
 * that matches decides; without one nothing is logged. Pure.
 */

import { type FieldError, invalidValue, notSupported, required, rootPath } from '../../machinery/meta/field-error.ts'
import { isDns1123Subdomain } from '../../machinery/meta/names.ts'
import type { UserInfo } from '../../machinery/wire/message.ts'
import type { RequestTarget } from '../auth/authorizer.ts'
import { LEVELS, type Level, STAGES, type Stage } from './event.ts'

/** `Policy` of audit.k8s.io/v1. Names that are no level or stage are found by `policyErrors`. */
export interface AuditPolicy {
  readonly rules?: readonly AuditRule[] | undefined
  readonly omitStages?: readonly string[] | undefined
  readonly omitManagedFields?: boolean | undefined
}

export interface AuditRule {
  readonly level?: string | undefined
  readonly users?: readonly string[] | undefined
  readonly userGroups?: readonly string[] | undefined
  readonly verbs?: readonly string[] | undefined
  readonly resources?: readonly GroupResources[] | undefined
  readonly namespaces?: readonly string[] | undefined
  readonly nonResourceURLs?: readonly string[] | undefined
  readonly omitStages?: readonly string[] | undefined
  readonly omitManagedFields?: boolean | undefined
}

export interface GroupResources {
  readonly group?: string | undefined
  readonly resources?: readonly string[] | undefined
  readonly resourceNames?: readonly string[] | undefined
}

/** What becomes of one request. */
export interface AuditVerdict {
  readonly level: Level
  readonly omitStages: ReadonlySet<Stage>
  readonly omitManagedFields: boolean
}

/** `user` is whom authentication found, before impersonation; undefined where it found nobody. */
export type DecideAudit = (user: UserInfo | undefined, target: RequestTarget) => AuditVerdict

/** Of what no rule matches. */
export const NOT_LOGGED: AuditVerdict = { level: 'None', omitStages: new Set(), omitManagedFields: false }

/** Of a policy without errors. */
export function auditPolicy(policy: AuditPolicy): DecideAudit {
  const rules = (policy.rules ?? []).map((rule) => ({ rule, verdict: verdictOf(rule, policy) }))
  return (user, target) => {
    for (const { rule, verdict } of rules) if (matches(rule, user, target)) return verdict
    return NOT_LOGGED
  }
}

function verdictOf(rule: AuditRule, policy: AuditPolicy): AuditVerdict {
  const omitted = [...(policy.omitStages ?? []), ...(rule.omitStages ?? [])]
  return {
    level: LEVELS.find((level) => level === rule.level) ?? 'None',
    omitStages: new Set(STAGES.filter((stage) => omitted.includes(stage))),
    omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false,
  }
}

/** Whether the list says nothing, or one of these. */
function covers(list: readonly string[] | undefined, values: readonly string[]): boolean {
  return !list?.length || values.some((value) => list.includes(value))
}

function matches(rule: AuditRule, user: UserInfo | undefined, target: RequestTarget): boolean {
  if (!covers(rule.users, user ? [user.name] : []) || !covers(rule.userGroups, user?.groups ?? [])) return false
  if (!covers(rule.verbs, [target.verb])) return false
  const { namespaces, resources, nonResourceURLs } = rule
  if (namespaces?.length || resources?.length)
    return (
      target.type === 'resource' &&
      covers(namespaces, [target.namespace]) &&
      (!resources?.length || resources.some((group) => coversResource(group, target)))
    )
  if (nonResourceURLs?.length)
    return target.type === 'path' && nonResourceURLs.some((pattern) => coversPath(pattern, target.path))
  return true
}

function coversPath(pattern: string, path: string): boolean {
  return pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, '')))
}

type ResourceTarget = Extract<RequestTarget, { readonly type: 'resource' }>

function coversResource({ group = '', resources, resourceNames }: GroupResources, target: ResourceTarget): boolean {
  if (group !== '*' && group !== target.group) return false
  if (!resources?.length) return true
  // A list of the one object of a name is a request for that object.
  if (!covers(resourceNames, [target.name || (target.selectedName ?? '')])) return false
  const { resource, subresource } = target
  const whole = subresource === '' ? resource : `${resource}/${subresource}`
  return resources.some(
    (pattern) =>
      pattern === '*' ||
      pattern === whole ||
      pattern === `${resource}/*` ||
      (subresource !== '' && pattern === `*/${subresource}`),
  )
}

/** What upstream refuses, in its words. */
export function policyErrors({ omitStages, rules = [] }: AuditPolicy): readonly FieldError[] {
  return [
    ...stageErrors('omitStages', omitStages),
    ...rules.flatMap((rule, index) => ruleErrors(`rules[${index}]`, rule)),
  ]
}

function ruleErrors(place: string, rule: AuditRule): readonly FieldError[] {
  const { level = '', nonResourceURLs = [], resources = [], namespaces = [] } = rule
  const path = rootPath.child(place)
  const isKnown = LEVELS.some((known) => known === level)
  const levelPath = path.child('level')
  const levelError = level === '' ? required(levelPath) : notSupported(levelPath, level, LEVELS)
  const mixed = nonResourceURLs.length > 0 && (resources.length > 0 || namespaces.length > 0)
  const mixedDetail = 'rules cannot apply to both regular resources and non-resource URLs'
  return [
    ...(isKnown ? [] : [levelError]),
    ...nonResourceURLs.flatMap((url, index) => urlErrors(`${place}.nonResourceURLs[${index}]`, url)),
    ...resources.flatMap((group) => groupErrors(`${place}.resources`, group)),
    ...stageErrors(`${place}.omitStages`, rule.omitStages),
    ...(mixed ? [invalidValue(path.child('nonResourceURLs'), nonResourceURLs, mixedDetail)] : []),
  ]
}

function urlErrors(place: string, url: string): readonly FieldError[] {
  if (url === '*') return []
  const invalid = (detail: string) => invalidValue(rootPath.child(place), url, detail)
  return [
    ...(url.startsWith('/') ? [] : [invalid("non-resource URL rules must begin with a '/' character")]),
    ...(url.slice(0, -1).includes('*')
      ? [invalid("non-resource URL wildcards '*' must be the final character of the rule")]
      : []),
  ]
}

function groupErrors(place: string, { group = '', resources, resourceNames }: GroupResources): readonly FieldError[] {
  const path = rootPath.child(place)
  const problems = group === '' || group === '*' ? [] : isDns1123Subdomain(group)
  const nameless = resourceNames?.length && !resources?.length
  return [
    ...(problems.length > 0 ? [invalidValue(path.child('group'), group, problems.join(','))] : []),
    ...(nameless
      ? [invalidValue(path.child('resourceNames'), resourceNames, 'using resourceNames requires at least one resource')]
      : []),
  ]
}

function stageErrors(place: string, stages: readonly string[] = []): readonly FieldError[] {
  return stages.flatMap((stage, index) =>
    STAGES.some((known) => known === stage)
      ? []
      : [invalidValue(rootPath.child(`${place}[${index}]`), stage, `allowed stages are ${STAGES.join(',')}`)],
  )
}
