/** Containers of every sort: main ones, init containers (with sidecars among them), ephemeral ones. */

import {
  duplicate,
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
  tooMany,
} from '../../../../machinery/meta/field-error.ts'
import { isValidPortName, isValidPortNumber } from '../../../../machinery/meta/names.ts'
import { dnsLabelErrors, findingErrors } from '../../../field-rules.ts'
import type { Container, ContainerPort, ContainerRestartRule, EphemeralContainer, Volume } from '../../types.gen.ts'
import { forbiddenFields, validateChoice } from '../findings.ts'
import { isRestartableInit } from '../pod-status.ts'
import { validateContainerResources, validateResizePolicy } from '../validate-resources.ts'
import { validateContainerSecurity } from '../validate-security.ts'
import { validateDevices, validateMounts } from '../volumes/validate-mounts.ts'
import { validateEnvironmentSources, validateVariables } from './validate-environment.ts'
import { validateLifecycle, validateProbes } from './validate-probe.ts'

/** What the checks of a container need to know about its pod. */
export interface ContainerSurroundings {
  readonly volumes: ReadonlyMap<string, Volume>
  readonly claims: ReadonlySet<string>
  readonly graceSeconds: number
  readonly restartPolicy: string | undefined
  readonly hostUsers: boolean
  readonly hostNetwork: boolean
}

const RESTART_POLICIES = ['Always', 'Never', 'OnFailure']
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
/** Rules per container; each is looked at on every exit. */
const RESTART_RULES_MAX = 20
/** Codes per rule: as many as there are. */
const EXIT_CODES_MAX = 255

export function validateContainers(
  containers: readonly Container[] | undefined,
  pod: ContainerSurroundings,
  path: FieldPath,
): FieldError[] {
  if ((containers ?? []).length === 0) return [required(path)]
  const names = new Set<string>()
  const errors = (containers ?? []).flatMap((container, index) => {
    const at = path.index(index)
    const found = validateCommon(container, pod, at)
    if (names.has(container.name)) found.push(duplicate(at.child('name'), container.name))
    names.add(container.name)
    found.push(...validateLifecycle(container.lifecycle, pod.graceSeconds, at.child('lifecycle')))
    found.push(...validateProbes(container, pod.graceSeconds, at))
    return [...found, ...validateRestartPolicy(container, at)]
  })
  return [...errors, ...validateHostPorts(containers ?? [], pod, path)]
}

export function validateInitContainers(
  containers: readonly Container[] | undefined,
  mainNames: Iterable<string>,
  pod: ContainerSurroundings,
  path: FieldPath,
): FieldError[] {
  const names = new Set(mainNames)
  return (containers ?? []).flatMap((container, index) => {
    const at = path.index(index)
    const errors = validateCommon(container, pod, at)
    errors.push(...validateRestartPolicy(container, at))
    if (names.has(container.name)) errors.push(duplicate(at.child('name'), container.name))
    else if (container.name) names.add(container.name)
    if (isRestartableInit(container)) {
      errors.push(...validateLifecycle(container.lifecycle, pod.graceSeconds, at.child('lifecycle')))
      errors.push(...validateProbes(container, pod.graceSeconds, at))
    } else {
      const fields = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const
      const detail = 'may not be set for init containers without restartPolicy=Always'
      errors.push(...forbiddenFields(container, fields, detail, at))
    }
    return [...errors, ...validateHostPorts([container], { ...pod, hostNetwork: false }, path)]
  })
}

/** What an ephemeral container may not have: it is for looking, not for serving. */
const EPHEMERAL_FORBIDDEN = [
  'lifecycle',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'ports',
  'resizePolicy',
  'restartPolicy',
] as const

export function validateEphemeralContainers(
  containers: readonly EphemeralContainer[] | undefined,
  otherNames: ReadonlySet<string>,
  pod: ContainerSurroundings,
  path: FieldPath,
): FieldError[] {
  const names = new Set(otherNames)
  return (containers ?? []).flatMap((container, index) => {
    const at = path.index(index)
    const errors = validateCommon(container, pod, at)
    const target = container.targetContainerName
    if (target && !otherNames.has(target)) errors.push(notFoundValue(at.child('targetContainerName'), target))
    if (names.has(container.name)) errors.push(duplicate(at.child('name'), container.name))
    names.add(container.name)
    const detail = 'cannot be set for an Ephemeral Container'
    errors.push(...forbiddenFields(container, EPHEMERAL_FORBIDDEN, detail, at))
    const { limits, requests, claims } = container.resources ?? {}
    if (limits || requests || claims) errors.push(forbidden(at.child('resources'), detail))
    for (const [position, mount] of (container.volumeMounts ?? []).entries()) {
      const place = at.child('volumeMounts').index(position)
      if (mount.subPath) errors.push(forbidden(place.child('subPath'), detail))
      if (mount.subPathExpr) errors.push(forbidden(place.child('subPathExpr'), detail))
    }
    return errors
  })
}

function validateCommon(container: Container, pod: ContainerSurroundings, at: FieldPath): FieldError[] {
  const errors: FieldError[] = []
  if (!container.name) errors.push(required(at.child('name')))
  else errors.push(...dnsLabelErrors(at.child('name'), container.name))
  errors.push(...validateImageText(container.image, at.child('image')))
  const policy = container.terminationMessagePolicy
  errors.push(...validateChoice(policy, ['File', 'FallbackToLogsOnError'], at.child('terminationMessagePolicy')))
  errors.push(...validatePorts(container.ports, at.child('ports')))
  errors.push(...validateVariables(container.env, at.child('env')))
  errors.push(...validateEnvironmentSources(container.envFrom, at.child('envFrom')))
  errors.push(...validateMounts(container, pod.volumes, at.child('volumeMounts')))
  errors.push(...validateDevices(container, pod.volumes, at.child('volumeDevices')))
  errors.push(...validateChoice(container.imagePullPolicy, PULL_POLICIES, at.child('imagePullPolicy')))
  errors.push(...validateContainerResources(container.resources, pod.claims, at.child('resources')))
  errors.push(...validateResizePolicy(container.resizePolicy, pod.restartPolicy, at.child('resizePolicy')))
  errors.push(...validateContainerSecurity(container.securityContext, pod.hostUsers, at.child('securityContext')))
  return errors
}

function validateImageText(image: string | undefined, path: FieldPath): FieldError[] {
  if (!image) return [required(path)]
  return image.trim() === image ? [] : [invalidValue(path, image, 'must not have leading or trailing whitespace')]
}

function validatePorts(ports: readonly ContainerPort[] | undefined, path: FieldPath): FieldError[] {
  const names = new Set<string>()
  return (ports ?? []).flatMap((port, index) => {
    const at = path.index(index)
    const errors: FieldError[] = []
    if (port.name) {
      const findings = isValidPortName(port.name)
      errors.push(...findingErrors(at.child('name'), port.name, findings))
      if (findings.length === 0 && names.has(port.name)) errors.push(duplicate(at.child('name'), port.name))
      names.add(port.name)
    }
    if (!port.containerPort) errors.push(required(at.child('containerPort')))
    else
      errors.push(
        ...findingErrors(at.child('containerPort'), port.containerPort, isValidPortNumber(port.containerPort)),
      )
    if (port.hostPort)
      errors.push(...findingErrors(at.child('hostPort'), port.hostPort, isValidPortNumber(port.hostPort)))
    if (!port.protocol) errors.push(required(at.child('protocol')))
    else errors.push(...validateChoice(port.protocol, PROTOCOLS, at.child('protocol')))
    return errors
  })
}

/** A port of the node can be taken once; in the node's network it is the container's own. */
function validateHostPorts(
  containers: readonly Container[],
  pod: ContainerSurroundings,
  path: FieldPath,
): FieldError[] {
  const taken = new Set<string>()
  return containers.flatMap((container, index) =>
    (container.ports ?? []).flatMap((port, position) => {
      const at = path.index(index).child('ports').index(position)
      const errors: FieldError[] = []
      // In a template there may be none yet.
      if (pod.hostNetwork && port.hostPort && port.hostPort !== port.containerPort) {
        const detail = 'must match `containerPort` when `hostNetwork` is true'
        errors.push(invalidValue(at.child('hostPort'), port.hostPort, detail))
      }
      if (!port.hostPort) return errors
      const identity = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`
      if (taken.has(identity)) errors.push(duplicate(at.child('hostPort'), identity))
      taken.add(identity)
      return errors
    }),
  )
}

function validateRestartPolicy(container: Container, at: FieldPath): FieldError[] {
  const { restartPolicy, restartPolicyRules: rules } = container
  const errors = validateChoice(restartPolicy, RESTART_POLICIES, at.child('restartPolicy'))
  if (!rules) return errors
  const path = at.child('restartPolicyRules')
  if (restartPolicy === undefined && rules.length > 0) {
    const detail = 'must specify restartPolicy when restart rules are used'
    errors.push(required(at.child('restartPolicy'), detail))
  }
  if (rules.length > RESTART_RULES_MAX) errors.push(tooMany(path, rules.length, RESTART_RULES_MAX))
  return [...errors, ...rules.flatMap((rule, index) => validateRestartRule(rule, path.index(index)))]
}

function validateRestartRule({ action, exitCodes }: ContainerRestartRule, path: FieldPath): FieldError[] {
  const errors = validateChoice(action ?? '', ['Restart', 'RestartAllContainers'], path.child('action'))
  if (!exitCodes) return [...errors, required(path.child('exitCodes'), 'must be specified')]
  if (!['In', 'NotIn'].includes(exitCodes.operator)) {
    errors.push(notSupported(path.child('exitCodes', 'operator'), exitCodes.operator ?? '', ['In', 'NotIn']))
  }
  const count = (exitCodes.values ?? []).length
  if (count > EXIT_CODES_MAX) errors.push(tooMany(path.child('exitCodes', 'values'), count, EXIT_CODES_MAX))
  return errors
}
