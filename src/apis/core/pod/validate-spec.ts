/** The spec of a pod, alone or in a template: every rule that needs no other object, in upstream's order. */

import {
  duplicate,
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  required,
} from '../../../machinery/meta/field-error.ts'
import { validateLabels } from '../../../machinery/meta/labels.ts'
import { isQualifiedName } from '../../../machinery/meta/names.ts'
import { validateAnnotations } from '../../../machinery/meta/validate-meta.ts'
import { dnsLabelErrors, dnsSubdomainErrors, findingErrors } from '../../field-rules.ts'
import type { PodResourceClaim, PodSpec, PodTemplateSpec } from '../types.gen.ts'
import {
  type ContainerSurroundings,
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from './containers/validate-container.ts'
import { validateChoice, validateRange } from './findings.ts'
import { validateAffinity, validateSpreading, validateTolerations } from './validate-affinity.ts'
import { validateDns, validateDnsPolicy, validateNetworkNames } from './validate-network.ts'
import { validatePodLevelResources, validateResourceQuantity } from './validate-resources.ts'
import { validatePodSecurity } from './validate-security.ts'
import { validateVolumes } from './volumes/validate-volume.ts'

const INT32_MAX = 2 ** 31 - 1

export function validatePodTemplateSpec(template: PodTemplateSpec, path: FieldPath): FieldError[] {
  const { metadata, spec = { containers: [] } } = template
  const errors = [
    ...validateLabels(metadata?.labels, path.child('labels')),
    ...validateAnnotations(metadata?.annotations ?? {}, path.child('annotations')),
    ...validatePodSpec(spec, path.child('spec')),
  ]
  if ((spec.ephemeralContainers ?? []).length > 0) {
    const detail = 'ephemeral containers not allowed in pod template'
    errors.push(forbidden(path.child('spec', 'ephemeralContainers'), detail))
  }
  return errors
}

export function validatePodSpec(spec: PodSpec, path: FieldPath): FieldError[] {
  const volumes = validateVolumes(spec.volumes, path.child('volumes'))
  const surroundings: ContainerSurroundings = {
    volumes: volumes.byName,
    claims: new Set((spec.resourceClaims ?? []).map(({ name }) => name)),
    graceSeconds: spec.terminationGracePeriodSeconds ?? 0,
    restartPolicy: spec.restartPolicy,
    hostUsers: spec.hostUsers !== false,
    hostNetwork: spec.hostNetwork === true,
  }
  return [
    ...volumes.errors,
    ...validateResourceClaims(spec.resourceClaims, path.child('resourceClaims')),
    ...validateAllContainers(spec, surroundings, path),
    ...validatePodLevelResources(spec, path.child('resources')),
    ...validateRestartPolicy(spec, path),
    ...validateDnsPolicy(spec, path),
    ...validateLabels(spec.nodeSelector, path.child('nodeSelector')),
    ...validatePodSecurity(spec, path),
    ...validateAffinity(spec.affinity, path.child('affinity')),
    ...validateDns(spec, path),
    ...validateReadinessGates(spec, path.child('readinessGates')),
    ...validateSchedulingGates(spec, path.child('schedulingGates')),
    ...validateSpreading(spec.topologySpreadConstraints, path.child('topologySpreadConstraints')),
    ...validateNames(spec, path),
    ...validateRange(spec.activeDeadlineSeconds, 1, INT32_MAX, path.child('activeDeadlineSeconds')),
    ...validateNetworkNames(spec, path),
    ...validateTolerations(spec.tolerations, path.child('tolerations')),
    ...validateScheduling(spec, path),
    ...validateOs(spec, path),
  ]
}

function validateAllContainers(spec: PodSpec, surroundings: ContainerSurroundings, path: FieldPath): FieldError[] {
  const names = (spec.containers ?? []).map(({ name }) => name)
  const inits = (spec.initContainers ?? []).map(({ name }) => name)
  const all = new Set([...names, ...inits])
  return [
    ...validateContainers(spec.containers, surroundings, path.child('containers')),
    ...validateInitContainers(spec.initContainers, names, surroundings, path.child('initContainers')),
    ...validateEphemeralContainers(spec.ephemeralContainers, all, surroundings, path.child('ephemeralContainers')),
  ]
}

function validateRestartPolicy({ restartPolicy }: PodSpec, path: FieldPath): FieldError[] {
  const at = path.child('restartPolicy')
  return restartPolicy ? validateChoice(restartPolicy, ['Always', 'OnFailure', 'Never'], at) : [required(at)]
}

function validateResourceClaims(claims: readonly PodResourceClaim[] | undefined, path: FieldPath): FieldError[] {
  const names = new Set<string>()
  return (claims ?? []).flatMap((claim, index) => {
    const at = path.index(index)
    const errors: FieldError[] = []
    if (!claim.name) errors.push(required(at.child('name')))
    else if (names.has(claim.name)) errors.push(duplicate(at.child('name'), claim.name))
    else errors.push(...dnsLabelErrors(at.child('name'), claim.name))
    names.add(claim.name)
    const { resourceClaimName, resourceClaimTemplateName } = claim
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const detail = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'
      errors.push(invalidValue(at, claim, detail))
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      const detail = 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'
      errors.push(invalidValue(at, claim, detail))
    }
    return errors
  })
}

function validateReadinessGates(spec: PodSpec, path: FieldPath): FieldError[] {
  return (spec.readinessGates ?? []).flatMap(({ conditionType }, index) =>
    findingErrors(path.index(index).child('conditionType'), conditionType, isQualifiedName(conditionType ?? '')),
  )
}

function validateSchedulingGates(spec: PodSpec, path: FieldPath): FieldError[] {
  const names = new Set<string>()
  return (spec.schedulingGates ?? []).flatMap(({ name }, index) => {
    const errors = findingErrors(path.index(index), name, isQualifiedName(name ?? ''))
    if (names.has(name)) errors.push(duplicate(path.index(index), name))
    names.add(name)
    return errors
  })
}

function validateNames(spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = []
  const names = ['serviceAccountName', 'nodeName', 'priorityClassName', 'runtimeClassName', 'schedulerName'] as const
  for (const field of names) {
    const name = spec[field]
    if (name) errors.push(...dnsSubdomainErrors(path.child(field), name))
  }
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    errors.push(forbidden(path.child('nodeName'), 'cannot be set until all schedulingGates have been cleared'))
  }
  return errors
}

function validateScheduling(spec: PodSpec, path: FieldPath): FieldError[] {
  const policies = ['Never', 'PreemptLowerPriority']
  const errors = validateChoice(spec.preemptionPolicy, policies, path.child('preemptionPolicy'))
  for (const [name, quantity] of Object.entries(spec.overhead ?? {})) {
    const at = path.child('overhead').key(name)
    errors.push(...findingErrors(at, name, isQualifiedName(name)), ...validateResourceQuantity(name, quantity, at))
  }
  return errors
}

function validateOs({ os, securityContext }: PodSpec, path: FieldPath): FieldError[] {
  if (!os) return []
  const at = path.child('os', 'name')
  if (!os.name) return [required(at, 'cannot be empty')]
  const errors = validateChoice(os.name, ['linux', 'windows'], at)
  if (os.name === 'linux' && securityContext?.windowsOptions) {
    const detail = 'windows options cannot be set for a linux pod'
    errors.push(forbidden(path.child('securityContext', 'windowsOptions'), detail))
  }
  return errors
}
