/** Requests and limits: known names, quantities that make sense, requests within limits. */

import {
  duplicate,
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
} from '../../../machinery/meta/field-error.ts'
import { isQualifiedName } from '../../../machinery/meta/names.ts'
import {
  compareQuantities,
  isNegative,
  parseQuantity,
  quantityMilliValue,
  quantityOf,
} from '../../../machinery/meta/quantity.ts'
import { findingErrors } from '../../field-rules.ts'
import type { ContainerResizePolicy, PodSpec, ResourceRequirements } from '../types.gen.ts'
import { requiredChoice } from './findings.ts'
import { containersTotal } from './pod-resources.ts'
import {
  isExtendedResource,
  isHugePages,
  isNativeResource,
  isOvercommitAllowed,
  isPodLevelResource,
  type ResourceList,
} from './resource-list.ts'

const CONTAINER_RESOURCES = ['cpu', 'ephemeral-storage', 'memory']
const POD_LEVEL_RESOURCES = ['cpu', 'hugepages-', 'memory']

export function validateContainerResources(
  resources: ResourceRequirements | undefined,
  claims: ReadonlySet<string>,
  path: FieldPath,
): FieldError[] {
  if (!resources) return []
  return [
    ...validateRequirements(resources, validateContainerResourceName, path),
    ...validateClaims(resources, claims, path.child('claims')),
  ]
}

/** Figures for the pod as a whole: only some resources, and not less than what its containers request. */
export function validatePodLevelResources(spec: PodSpec, path: FieldPath): FieldError[] {
  const { resources } = spec
  if (!resources) return []
  const errors = validateRequirements(resources, validatePodLevelName, path)
  if (resources.claims) errors.push(forbidden(path.child('claims'), 'claims may not be set for Resources at pod-level'))
  for (const [name, total] of containersTotal(spec, 'requests')) {
    const request = resources.requests?.[name]
    if (request === undefined || !isPodLevelResource(name) || compareQuantities(total, quantityOf(request)) <= 0)
      continue
    const detail = 'must be greater than or equal to aggregate container requests'
    errors.push(invalidValue(path.child('requests').key(name), request, detail))
  }
  for (const container of spec.containers ?? []) {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const podLimit = resources.limits?.[name]
      if (podLimit === undefined || compareQuantities(quantityOf(limit), quantityOf(podLimit)) <= 0) continue
      const detail = `must be less than or equal to pod limits of ${podLimit}`
      errors.push(invalidValue(path.child('limits').key(name), limit, detail))
    }
  }
  return errors
}

type NameRule = (name: string, path: FieldPath) => FieldError[]

function validateRequirements(resources: ResourceRequirements, nameRule: NameRule, path: FieldPath): FieldError[] {
  const limits = resources.limits ?? {}
  const requests = resources.requests ?? {}
  const errors = [
    ...validateList(limits, nameRule, path.child('limits')),
    ...validateList(requests, nameRule, path.child('requests')),
    ...Object.entries(requests).flatMap(([name, text]) => validateRequest(name, text, limits, path)),
  ]
  const mentioned = [...Object.keys(limits), ...Object.keys(requests)]
  const enough = mentioned.includes('cpu') || mentioned.includes('memory')
  if (mentioned.some(isHugePages) && !enough) errors.push(forbidden(path, 'HugePages require cpu or memory'))
  return errors
}

function validateList(list: ResourceList, nameRule: NameRule, path: FieldPath): FieldError[] {
  return Object.entries(list).flatMap(([name, text]) => {
    const at = path.key(name)
    return [...nameRule(name, at), ...validateResourceQuantity(name, text, at)]
  })
}

/** A quantity that is not negative and, for extended resources, counts whole things. */
export function validateResourceQuantity(name: string, text: string, path: FieldPath): FieldError[] {
  const quantity = parseQuantity(text)
  if (typeof quantity === 'string') return [invalidValue(path, text, quantity)]
  const errors: FieldError[] = []
  if (isNegative(quantity)) errors.push(invalidValue(path, text, 'must be greater than or equal to 0'))
  const whole = name === 'pods' || isExtendedResource(name)
  if (whole && quantityMilliValue(quantity) % 1000 !== 0) errors.push(invalidValue(path, text, 'must be an integer'))
  return errors
}

function validateRequest(name: string, text: string, limits: ResourceList, path: FieldPath): FieldError[] {
  const at = path.child('requests')
  const limit = Object.hasOwn(limits, name) ? limits[name] : undefined
  if (limit === undefined) {
    return isOvercommitAllowed(name)
      ? []
      : [required(path.child('limits'), 'Limit must be set for non overcommitable resources')]
  }
  const order = compareQuantities(quantityOf(text), quantityOf(limit))
  if (order !== 0 && !isOvercommitAllowed(name)) {
    return [invalidValue(at, text, `must be equal to ${name} limit of ${limit}`)]
  }
  return order > 0 ? [invalidValue(at, text, `must be less than or equal to ${name} limit of ${limit}`)] : []
}

export function validateContainerResourceName(name: string, path: FieldPath): FieldError[] {
  const errors = findingErrors(path, name, isQualifiedName(name))
  if (!name.includes('/')) {
    const standard = CONTAINER_RESOURCES.includes(name) || isHugePages(name)
    return standard ? errors : [...errors, invalidValue(path, name, 'must be a standard resource for containers')]
  }
  const strange = !isNativeResource(name) && !isExtendedResource(name)
  return strange ? [...errors, invalidValue(path, name, "doesn't follow extended resource name standard")] : errors
}

function validatePodLevelName(name: string, path: FieldPath): FieldError[] {
  const errors = findingErrors(path, name, isQualifiedName(name))
  if (errors.length > 0 || isPodLevelResource(name)) return errors
  return [notSupported(path, name, POD_LEVEL_RESOURCES)]
}

function validateClaims(resources: ResourceRequirements, known: ReadonlySet<string>, path: FieldPath): FieldError[] {
  const seen = new Set<string>()
  return (resources.claims ?? []).flatMap((claim, index) => {
    const at = path.index(index)
    if (!claim.name) return [required(at)]
    const identity = claim.request ? `${claim.name}/${claim.request}` : claim.name
    const errors = seen.has(identity) ? [duplicate(at, identity)] : []
    seen.add(identity)
    if (known.has(claim.name)) return errors
    const choices = known.size === 0 ? ' which is empty' : `: ${[...known].sort().join(', ')}`
    return [...errors, notFoundValue(at, claim.name, `must be one of the names in pod.spec.resourceClaims${choices}`)]
  })
}

export function validateResizePolicy(
  policies: readonly ContainerResizePolicy[] | undefined,
  restartPolicy: string | undefined,
  path: FieldPath,
): FieldError[] {
  const seen = new Set<string>()
  return (policies ?? []).flatMap((policy, index) => {
    const errors: FieldError[] = []
    if (seen.has(policy.resourceName)) errors.push(duplicate(path.index(index), policy.resourceName))
    seen.add(policy.resourceName)
    errors.push(...requiredChoice(policy.resourceName, ['cpu', 'memory'], path))
    errors.push(...requiredChoice(policy.restartPolicy, ['NotRequired', 'RestartContainer'], path))
    if (restartPolicy === 'Never' && policy.restartPolicy !== 'NotRequired') {
      const detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
      errors.push(invalidValue(path, policy.restartPolicy ?? '', detail))
    }
    return errors
  })
}
