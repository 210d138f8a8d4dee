/** The spec of a pod, alone or in a template: every rule that needs no other object, in upstream's order. */

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
import { forbiddenFields, validateChoice, validateRange } from './findings.ts'
import { validateAffinity, validateSpreading, validateTolerations } from './validate-affinity.ts'
import {
  validateDns,
  validateDnsPolicy,
  validateHostAliases,
  validateHostNames,
  validateHostnameOverride,
} from './validate-network.ts'
import { validateContainerResources, validatePodLevelResources } from './validate-resources.ts'
import { validateHostUsers, validatePodSecurity } from './validate-security.ts'
import { hostProcessErrors, securityContexts, windowsErrors } from './validate-windows.ts'
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
    ...hostProcessErrors(spec, path),
    ...validateHostUsers(spec, path),
    ...validateHostnameOverride(spec, path),
    ...subdomainErrors(spec, ['serviceAccountName', 'nodeName'], path),
    ...validateRange(spec.activeDeadlineSeconds, 1, INT32_MAX, path.child('activeDeadlineSeconds')),
    ...validateHostNames(spec, path),
    ...validateTolerations(spec.tolerations, path.child('tolerations')),
    ...validateHostAliases(spec.hostAliases, path.child('hostAliases')),
    ...subdomainErrors(spec, ['priorityClassName', 'runtimeClassName'], path),
    ...validateScheduling(spec, path),
    ...validateOs(spec, path),
    ...validateFileReferences(spec, path),
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
    for (const field of ['resourceClaimName', 'resourceClaimTemplateName'] as const) {
      const name = claim[field]
      if (name !== undefined) errors.push(...dnsSubdomainErrors(at.child(field), name))
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

type NameField = 'serviceAccountName' | 'nodeName' | 'priorityClassName' | 'runtimeClassName'

function subdomainErrors(spec: PodSpec, fields: readonly NameField[], path: FieldPath): FieldError[] {
  return fields.flatMap((field) => {
    const name = spec[field]
    return name || (field === 'runtimeClassName' && name === '') ? dnsSubdomainErrors(path.child(field), name) : []
  })
}

function validateScheduling(spec: PodSpec, path: FieldPath): FieldError[] {
  const { preemptionPolicy, overhead } = spec
  const at = path.child('preemptionPolicy')
  return [
    // The type of the value is narrower than what a client may send.
    ...((preemptionPolicy as string | undefined) === ''
      ? [required(at)]
      : validateChoice(preemptionPolicy, ['PreemptLowerPriority', 'Never'], at)),
    ...validateContainerResources(overhead && { limits: overhead }, new Set(), path.child('overhead')),
  ]
}

function validateOs(spec: PodSpec, path: FieldPath): FieldError[] {
  const { os } = spec
  if (!os) return []
  const at = path.child('os', 'name')
  if (!os.name) return [required(at)]
  if (os.name === 'windows') return windowsErrors(spec, path)
  if (os.name !== 'linux') return [notSupported(path.child('os'), os.name, ['linux', 'windows'])]
  const detail = 'windows options cannot be set for a linux pod'
  return securityContexts(spec, path).flatMap(([context, place]) =>
    forbiddenFields(context, ['windowsOptions'], detail, place),
  )
}

/** Files that variables are read from lie in volumes that the pod has for this. */
function validateFileReferences(spec: PodSpec, path: FieldPath): FieldError[] {
  const volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name, volume]))
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((list) =>
    (spec[list] ?? []).flatMap((container, index) =>
      (container.env ?? []).flatMap(({ valueFrom }, position) => {
        const name = valueFrom?.fileKeyRef?.volumeName
        if (name === undefined) return []
        const at = path
          .child(list)
          .index(index)
          .child('env')
          .index(position)
          .child('valueFrom', 'fileKeyRef', 'volumeName')
        const volume = volumes.get(name)
        if (!volume) return [notFoundValue(at, name)]
        return volume.emptyDir ? [] : [invalidValue(at, name, 'referenced volume must be of type emptyDir')]
      }),
    ),
  )
}
