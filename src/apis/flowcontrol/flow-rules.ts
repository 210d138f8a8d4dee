/** The rules of a flow schema: which requests of whom belong to it. */

import {
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { isDns1123Label, isDns1123Subdomain } from '../../machinery/meta/names.ts'
import { findingErrors } from '../field-rules.ts'
import type { NonResourcePolicyRule, PolicyRulesWithSubjects, ResourcePolicyRule, Subject } from './types.gen.ts'

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']
const SUBJECT_KINDS = ['Group', 'ServiceAccount', 'User']

export function flowRuleErrors(path: FieldPath, rule: PolicyRulesWithSubjects): readonly FieldError[] {
  const { resourceRules = [], nonResourceRules = [] } = rule
  const subjects = rule.subjects ?? []
  return [
    ...(subjects.length === 0 ? [required(path.child('subjects'), 'subjects must contain at least one value')] : []),
    ...subjects.flatMap((subject, index) => subjectErrors(path.child('subjects').index(index), subject)),
    ...(resourceRules.length === 0 && nonResourceRules.length === 0
      ? [required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty')]
      : []),
    ...resourceRules.flatMap((each, index) => resourceRuleErrors(path.child('resourceRules').index(index), each)),
    ...nonResourceRules.flatMap((each, index) => pathRuleErrors(path.child('nonResourceRules').index(index), each)),
  ]
}

function subjectErrors(path: FieldPath, subject: Subject): readonly FieldError[] {
  const { kind } = subject
  switch (kind) {
    case 'ServiceAccount':
      return [
        ...serviceAccountErrors(path.child('serviceAccount'), subject.serviceAccount),
        ...foreign(path, 'user', 'User', subject.user),
        ...foreign(path, 'group', 'Group', subject.group),
      ]
    case 'User':
      return [
        ...namedErrors(path.child('user'), 'user', kind, subject.user),
        ...foreign(path, 'serviceAccount', 'ServiceAccount', subject.serviceAccount),
        ...foreign(path, 'group', 'Group', subject.group),
      ]
    case 'Group':
      return [
        ...namedErrors(path.child('group'), 'group', kind, subject.group),
        ...foreign(path, 'serviceAccount', 'ServiceAccount', subject.serviceAccount),
        ...foreign(path, 'user', 'User', subject.user),
      ]
    default:
      return [notSupported(path.child('kind'), kind ?? '', SUBJECT_KINDS)]
  }
}

function foreign(path: FieldPath, field: string, kind: string, value: object | undefined): readonly FieldError[] {
  if (value === undefined) return []
  return [forbidden(path.child(field), `${field} is forbidden when subject kind is not '${kind}'`)]
}

function namedErrors(path: FieldPath, field: string, kind: string, subject: Subject['user']): readonly FieldError[] {
  if (subject === undefined) return [required(path, `${field} is required when subject kind is '${kind}'`)]
  return subject.name ? [] : [required(path.child('name'))]
}

function serviceAccountErrors(path: FieldPath, account: Subject['serviceAccount']): readonly FieldError[] {
  if (account === undefined) return [required(path, "serviceAccount is required when subject kind is 'ServiceAccount'")]
  const { name = '', namespace = '' } = account
  const namePath = path.child('name')
  const namespacePath = path.child('namespace')
  return [
    ...(name === '' ? [required(namePath)] : []),
    ...(name === '' || name === '*' ? [] : findingErrors(namePath, name, isDns1123Subdomain(name))),
    ...(namespace === ''
      ? [required(namespacePath, 'must specify namespace for service account')]
      : findingErrors(namespacePath, namespace, isDns1123Label(namespace))),
  ]
}

function resourceRuleErrors(path: FieldPath, rule: ResourcePolicyRule): readonly FieldError[] {
  const apiGroups = rule.apiGroups ?? []
  const resources = rule.resources ?? []
  const groupsPath = path.child('apiGroups')
  const resourcesPath = path.child('resources')
  return [
    ...verbErrors(path.child('verbs'), rule.verbs ?? []),
    ...(apiGroups.length === 0
      ? [required(groupsPath, 'resource rules must supply at least one api group')]
      : starErrors(groupsPath, apiGroups, 'api groups')),
    ...(resources.length === 0
      ? [required(resourcesPath, 'resource rules must supply at least one resource')]
      : starErrors(resourcesPath, resources, 'resources')),
    ...namespaceErrors(path.child('namespaces'), rule.namespaces ?? [], rule.clusterScope ?? false),
  ]
}

function verbErrors(path: FieldPath, verbs: readonly string[]): readonly FieldError[] {
  if (verbs.length === 0) return [required(path, 'verbs must contain at least one value')]
  if (verbs.includes('*')) return starErrors(path, verbs, 'verbs')
  return verbs.every((verb) => VERBS.includes(verb)) ? [] : [notSupported(path, verbs, VERBS)]
}

/** A star stands alone. */
function starErrors(path: FieldPath, values: readonly string[], noun: string): readonly FieldError[] {
  if (values.length <= 1 || !values.includes('*')) return []
  return [invalidValue(path, values, `if '*' is present, must not specify other ${noun}`)]
}

function namespaceErrors(path: FieldPath, names: readonly string[], clusterScope: boolean): readonly FieldError[] {
  if (names.length === 0 && !clusterScope)
    return [required(path, 'resource rules that are not cluster scoped must supply at least one namespace')]
  if (names.includes('*')) return starErrors(path, names, 'namespaces')
  return names.flatMap((name, index) =>
    isDns1123Label(name).map((finding) => {
      const detail = `each member of this list must be '*' or a DNS-1123 label; ${finding}`
      return invalidValue(path.index(index), name, detail)
    }),
  )
}

function pathRuleErrors(path: FieldPath, rule: NonResourcePolicyRule): readonly FieldError[] {
  const urls = rule.nonResourceURLs ?? []
  const urlsPath = path.child('nonResourceURLs')
  return [
    ...verbErrors(path.child('verbs'), rule.verbs ?? []),
    ...(urls.length === 0 ? [required(urlsPath, 'nonResourceURLs must contain at least one value')] : []),
    ...(urls.includes('*')
      ? starErrors(urlsPath, urls, 'non-resource URLs')
      : urls.flatMap((url, index) => urlErrors(urlsPath.index(index), url))),
  ]
}

function urlErrors(path: FieldPath, url: string): readonly FieldError[] {
  const finding = urlFinding(url)
  return finding === undefined ? [] : [invalidValue(path, url, finding)]
}

function urlFinding(url: string): string | undefined {
  if (url === '') return 'must not be empty'
  if (url === '/') return undefined
  if (!url.startsWith('/')) return 'must start with slash'
  if (url.includes(' ')) return 'must not contain white-space'
  if (url.includes('//')) return 'must not contain double slash'
  const stars = url.split('*').length - 1
  return stars === 0 || (stars === 1 && url.endsWith('/*')) ? undefined : 'wildcard can only do suffix matching'
}
