/** Which requests a webhook asks to see: its rules against what a request is about. Pure. */

import type { RuleWithOperations } from '../../../apis/admissionregistration/types.gen.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'

/** What rules look at. */
export interface RequestTarget {
  readonly operation: string
  readonly group: string
  readonly version: string
  readonly resource: string
  /** Empty for the main resource. */
  readonly subresource: string
  /** Empty for what lives in no namespace. */
  readonly namespace: string
}

export function targetOf({ operation, definition, subresource, namespace }: AdmissionAttributes): RequestTarget {
  const { group, version, resource } = definition
  return { operation, group, version, resource, subresource, namespace }
}

export function ruleMatches(rule: RuleWithOperations, target: RequestTarget): boolean {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope = '*' } = rule
  return (
    scopeMatches(scope, target) &&
    names(operations, target.operation) &&
    names(apiGroups, target.group) &&
    names(apiVersions, target.version) &&
    resources.some((text) => resourceMatches(text, target))
  )
}

function names(choices: readonly string[], name: string): boolean {
  return choices.some((choice) => choice === '*' || choice === name)
}

/** `pods` is the main resource alone, a star before or after the slash is every resource or subresource. */
function resourceMatches(text: string, { resource, subresource }: RequestTarget): boolean {
  const slash = text.indexOf('/')
  const wanted = slash < 0 ? text : text.slice(0, slash)
  const part = slash < 0 ? '' : text.slice(slash + 1)
  return (wanted === '*' || wanted === resource) && (part === '*' || part === subresource)
}

/** Namespaces themselves live in none. */
function scopeMatches(scope: string, { group, resource, namespace }: RequestTarget): boolean {
  const isNamespaced = namespace !== '' && !(group === '' && resource === 'namespaces')
  return scope === '*' || (scope === 'Namespaced' && isNamespaced) || (scope === 'Cluster' && !isNamespaced)
}

const POLICY_GROUP = 'admissionregistration.k8s.io'
const POLICY_KINDS: ReadonlySet<string> = new Set([
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
])

/** What no webhook or policy sees: a wrong one could not be taken away any more. */
export function isExempt({ definition: { group, kind } }: Pick<AdmissionAttributes, 'definition'>): boolean {
  return group === POLICY_GROUP && POLICY_KINDS.has(kind)
}
