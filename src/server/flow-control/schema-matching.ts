/** Which requests a flow schema is for: of whom, and of what. Pure. */

import type {
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '../../apis/flowcontrol/types.gen.ts'
import type { UserInfo } from '../../machinery/wire/message.ts'
import type { RequestTarget } from '../auth/authorizer.ts'
import { serviceAccountName } from '../auth/service-account-token.ts'

export function isForUser({ subjects }: PolicyRulesWithSubjects, user: UserInfo): boolean {
  return subjects.some((subject) => isSubject(subject, user))
}

export function isForTarget(rules: PolicyRulesWithSubjects, target: RequestTarget): boolean {
  if (target.type === 'path') return rules.nonResourceRules?.some((rule) => isForPath(rule, target)) ?? false
  return rules.resourceRules?.some((rule) => isForResource(rule, target)) ?? false
}

function isSubject(subject: Subject, user: UserInfo): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.user?.name === '*' || subject.user?.name === user.name
    case 'Group': {
      const { name } = subject.group ?? {}
      return name !== undefined && (name === '*' || user.groups.includes(name))
    }
    case 'ServiceAccount': {
      const { namespace, name } = subject.serviceAccount ?? {}
      if (namespace === undefined || name === undefined) return false
      if (name === '*') return user.name.startsWith(serviceAccountName(namespace, ''))
      return user.name === serviceAccountName(namespace, name)
    }
    default:
      return false
  }
}

type ResourceTarget = Extract<RequestTarget, { readonly type: 'resource' }>

function isForResource(rule: ResourcePolicyRule, target: ResourceTarget): boolean {
  const { resource, subresource, namespace } = target
  return (
    includes(rule.verbs, target.verb) &&
    includes(rule.resources, subresource === '' ? resource : `${resource}/${subresource}`) &&
    includes(rule.apiGroups, target.group) &&
    (namespace === '' ? rule.clusterScope === true : includes(rule.namespaces ?? [], namespace))
  )
}

function isForPath({ verbs, nonResourceURLs }: NonResourcePolicyRule, { verb, path }: RequestTarget): boolean {
  return includes(verbs, verb) && nonResourceURLs.some((url) => isUnder(url, path))
}

/** A path stands for itself and, as with a star after its slash, for what is below it. */
function isUnder(url: string, path: string): boolean {
  if (url === '*' || url === path) return true
  const prefix = url.endsWith('*') ? url.slice(0, -1) : url
  return path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`)
}

/** A star stands alone, as validation has seen to. */
function includes(names: readonly string[], name: string): boolean {
  return (names.length === 1 && names[0] === '*') || names.includes(name)
}
