/** What policies and their bindings match, and the parameters they are given: defaults and what is wrong with them. */

import {
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { validateLabelSelector } from '../../machinery/meta/labels.ts'
import { isDns1035Label, isDns1123Subdomain, isPathSegmentName } from '../../machinery/meta/names.ts'
import { mapField, withAbsent } from '../field-defaults.ts'
import { findingErrors } from '../field-rules.ts'
import { defaultRules, namedRuleErrors } from './rules.ts'
import type { MatchResources, ParamKind, ParamRef } from './types.gen.ts'

export const FAILURE_POLICIES = ['Fail', 'Ignore']
export const MATCH_POLICIES = ['Equivalent', 'Exact']
export const REINVOCATION_POLICIES = ['IfNeeded', 'Never']

export function defaultMatchResources(resources: MatchResources): MatchResources {
  const ruled = mapField(mapField(resources, 'resourceRules', defaultRules), 'excludeResourceRules', defaultRules)
  return withAbsent(ruled, { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} })
}

export function matchResourcesErrors(path: FieldPath, resources: MatchResources | undefined): readonly FieldError[] {
  if (resources === undefined) return []
  const { matchPolicy, namespaceSelector, objectSelector, resourceRules = [], excludeResourceRules = [] } = resources
  const named = (field: 'resourceRules' | 'excludeResourceRules', rules: typeof resourceRules) =>
    rules.flatMap((rule, index) => namedRuleErrors(path.child(field).index(index), rule))
  return [
    ...choiceErrors(path.child('matchPolicy'), matchPolicy, MATCH_POLICIES),
    ...selectorErrors(path.child('namespaceSelector'), namespaceSelector),
    ...selectorErrors(path.child('objectSelector'), objectSelector),
    ...named('resourceRules', resourceRules),
    ...named('excludeResourceRules', excludeResourceRules),
  ]
}

function selectorErrors(path: FieldPath, selector: MatchResources['objectSelector']): readonly FieldError[] {
  return selector === undefined ? [required(path)] : validateLabelSelector(selector, path)
}

/** Policies must say what they are about: the types of its resources are what their expressions are checked with. */
export function matchConstraintsErrors(path: FieldPath, resources: MatchResources | undefined): readonly FieldError[] {
  if (resources === undefined) return [required(path)]
  const missing = (resources.resourceRules ?? []).length === 0 ? [required(path.child('resourceRules'))] : []
  return [...matchResourcesErrors(path, resources), ...missing]
}

export function failurePolicyErrors(path: FieldPath, policy: string | undefined): readonly FieldError[] {
  return choiceErrors(path, policy, FAILURE_POLICIES)
}

/** Required; an empty text is there, and none of the choices. */
function choiceErrors(path: FieldPath, value: string | undefined, choices: readonly string[]): readonly FieldError[] {
  if (value === undefined) return [required(path)]
  return choices.includes(value) ? [] : [notSupported(path, value, choices)]
}

export function paramKindErrors(path: FieldPath, kind: ParamKind | undefined): readonly FieldError[] {
  return kind === undefined
    ? []
    : [
        ...paramApiVersionErrors(path.child('apiVersion'), kind.apiVersion ?? ''),
        ...paramKindNameErrors(path.child('kind'), kind.kind ?? ''),
      ]
}

function paramApiVersionErrors(path: FieldPath, apiVersion: string): readonly FieldError[] {
  if (apiVersion === '') return [required(path)]
  const parts = apiVersion === '/' ? [''] : apiVersion.split('/')
  if (parts.length > 2) return [invalidValue(path, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)]
  const group = parts.length === 2 ? (parts[0] ?? '') : ''
  const version = parts.at(-1) ?? ''
  const groupFindings = group === '' ? [] : isDns1123Subdomain(group)
  const versionFindings = isDns1035Label(version)
  return [
    ...(groupFindings.length === 0 ? [] : [invalidValue(path, group, groupFindings.join(','))]),
    ...(version === ''
      ? [invalidValue(path, apiVersion, 'version must be specified')]
      : versionFindings.length === 0
        ? []
        : [invalidValue(path, version, versionFindings.join(','))]),
  ]
}

function paramKindNameErrors(path: FieldPath, kind: string): readonly FieldError[] {
  if (kind === '') return [required(path)]
  const findings = isDns1035Label(kind.toLowerCase())
  if (findings.length === 0) return []
  return [invalidValue(path, kind, `may have mixed case, but should otherwise match: ${findings.join(',')}`)]
}

const NOT_FOUND_ACTIONS = ['Deny', 'Allow']
const EXCLUSIVE = 'name and selector are mutually exclusive'

export function paramRefErrors(path: FieldPath, reference: ParamRef | undefined): readonly FieldError[] {
  if (reference === undefined) return []
  const { name = '', selector, parameterNotFoundAction: action } = reference
  const both = name !== '' && selector !== undefined
  const actionPath = path.child('parameterNotFoundAction')
  return [
    ...(name === '' ? [] : findingErrors(path.child('name'), name, isPathSegmentName(name))),
    ...(both ? [forbidden(path.child('name'), EXCLUSIVE)] : []),
    ...validateLabelSelector(selector, path.child('selector')),
    ...(both ? [forbidden(path.child('selector'), EXCLUSIVE)] : []),
    ...(name === '' && selector === undefined ? [required(path, 'one of name or selector must be specified')] : []),
    ...(!action
      ? [required(actionPath)]
      : NOT_FOUND_ACTIONS.includes(action)
        ? []
        : [notSupported(actionPath, action, NOT_FOUND_ACTIONS)]),
  ]
}

/** The cell that tells a binding's parameters. */
export function paramRefText(reference: ParamRef | undefined): string {
  if (reference === undefined) return '<unset>'
  const { name, namespace, selector } = reference
  if (name) return `${namespace || '*'}/${name}`
  return selector === undefined ? '<unset>' : goSelectorText(selector)
}

/** The form in which upstream's tables print a selector object. */
function goSelectorText({ matchLabels = {}, matchExpressions = [] }: NonNullable<ParamRef['selector']>): string {
  const labels = Object.keys(matchLabels)
    .sort()
    .map((key) => `${key}: ${matchLabels[key]},`)
  const expressions = matchExpressions.map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  )
  const labelsText = `map[string]string{${labels.join('')}}`
  const expressionsText = `[]LabelSelectorRequirement{${expressions.join('')}}`
  return `&LabelSelector{MatchLabels:${labelsText},MatchExpressions:${expressionsText},}`
}

export function paramKindText(kind: ParamKind | undefined): string {
  return kind === undefined ? '<unset>' : `${kind.apiVersion ?? ''}/${kind.kind ?? ''}`
}
