/** Security contexts of pods and containers: user ids, profiles, capabilities against privileges, sysctls. */

import {
  duplicate,
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../../machinery/meta/field-error.ts'
import { findingErrors } from '../../field-rules.ts'
import type { AppArmorProfile, PodSpec, SeccompProfile, SecurityContext, Sysctl } from '../types.gen.ts'
import { validateChoice } from './findings.ts'
import { windowsOptionsErrors } from './validate-windows.ts'
import { validateDescendingPath } from './volumes/paths.ts'

/** User and group ids are 31 bits wide. */
const ID_MAX = 2 ** 31 - 1

const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined']

const SYSCTL_SEGMENT = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const SYSCTL_FORMAT = `(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}`
const SYSCTL = new RegExp(`^${SYSCTL_FORMAT}$`)
const SYSCTL_LENGTH_MAX = 253

export function validatePodSecurity(spec: PodSpec, path: FieldPath): FieldError[] {
  const context = spec.securityContext ?? {}
  const at = path.child('securityContext')
  const errors: FieldError[] = []
  errors.push(...validateId(context.runAsUser, at.child('runAsUser')))
  errors.push(...validateId(context.runAsGroup, at.child('runAsGroup')))
  errors.push(...validateId(context.fsGroup, at.child('fsGroup')))
  for (const [index, group] of (context.supplementalGroups ?? []).entries()) {
    errors.push(...validateId(group, at.child('supplementalGroups').index(index)))
  }
  errors.push(...validateSysctls(context.sysctls, spec, at.child('sysctls')))
  const ownership = at.child('fsGroupChangePolicy')
  errors.push(...validateChoice(context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], ownership))
  const groups = at.child('supplementalGroupsPolicy')
  errors.push(...validateChoice(context.supplementalGroupsPolicy, ['Merge', 'Strict'], groups))
  errors.push(...validateSeccomp(context.seccompProfile, at.child('seccompProfile')))
  errors.push(...validateAppArmor(context.appArmorProfile, at.child('appArmorProfile')))
  errors.push(...windowsOptionsErrors(context.windowsOptions, at.child('windowsOptions')))
  if (context.seLinuxChangePolicy !== undefined && context.seLinuxChangePolicy !== 'Recursive')
    errors.push(notSupported(at.child('seLinuxChangePolicy'), context.seLinuxChangePolicy, ['Recursive']))
  if (spec.shareProcessNamespace && spec.hostPID) {
    const detail = 'ShareProcessNamespace and HostPID cannot both be enabled'
    errors.push(invalidValue(at.child('shareProcessNamespace'), true, detail))
  }
  return errors
}

export function validateHostUsers(spec: PodSpec, path: FieldPath): FieldError[] {
  if (spec.hostUsers !== false) return []
  return (['hostNetwork', 'hostPID', 'hostIPC'] as const)
    .filter((field) => spec[field])
    .map((field) => forbidden(path.child(field), 'when `hostUsers` is false'))
}

export function validateContainerSecurity(
  context: SecurityContext | undefined,
  hostUsers: boolean,
  path: FieldPath,
): FieldError[] {
  if (!context) return []
  const errors = [
    ...validateId(context.runAsUser, path.child('runAsUser')),
    ...validateId(context.runAsGroup, path.child('runAsGroup')),
    ...validateChoice(context.procMount, ['Default', 'Unmasked'], path.child('procMount')),
    ...validateSeccomp(context.seccompProfile, path.child('seccompProfile')),
  ]
  if (context.procMount === 'Unmasked' && hostUsers) {
    errors.push(invalidValue(path.child('procMount'), context.procMount, '`hostUsers` must be false to use `Unmasked`'))
  }
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged) {
      const detail = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'
      errors.push(invalidValue(path, context, detail))
    }
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      const detail = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'
      errors.push(invalidValue(path, context, detail))
    }
  }
  return [
    ...errors,
    ...windowsOptionsErrors(context.windowsOptions, path.child('windowsOptions')),
    ...validateAppArmor(context.appArmorProfile, path.child('appArmorProfile')),
  ]
}

function validateId(id: number | undefined, path: FieldPath): FieldError[] {
  const valid = id === undefined || (id >= 0 && id <= ID_MAX)
  return valid ? [] : findingErrors(path, id, [`must be between 0 and ${ID_MAX}, inclusive`])
}

function validateSeccomp(profile: SeccompProfile | undefined, path: FieldPath): FieldError[] {
  if (!profile) return []
  return validateProfile(profile, 'seccomp', 'seccompProfile', path)
}

function validateAppArmor(profile: AppArmorProfile | undefined, path: FieldPath): FieldError[] {
  if (!profile) return []
  return validateProfile(profile, 'AppArmor', 'appArmorProfile', path)
}

function validateProfile(
  profile: SeccompProfile | AppArmorProfile,
  feature: string,
  field: string,
  path: FieldPath,
): FieldError[] {
  const { type, localhostProfile } = profile
  const at = path.child('localhostProfile')
  if (type !== 'Localhost') {
    const detail = `can only be set when ${feature} type is Localhost`
    // Profiles of AppArmor are judged by their type first.
    if (!type && feature === 'AppArmor') return [required(path.child('type'), `type is required when ${field} is set`)]
    const value = feature === 'AppArmor' ? localhostProfile : profile
    const surplus = localhostProfile === undefined ? [] : [invalidValue(at, value, detail)]
    const known = type
      ? validateChoice(type, PROFILE_TYPES, path.child('type'))
      : [required(path.child('type'), `type is required when ${field} is set`)]
    return [...known, ...surplus]
  }
  if (localhostProfile === undefined) return [required(at, `must be set when ${feature} type is Localhost`)]
  return feature === 'seccomp'
    ? validateDescendingPath(localhostProfile, at)
    : validateProfileName(localhostProfile, at)
}

function validateProfileName(name: string, path: FieldPath): FieldError[] {
  if (name.trim() !== name) return [invalidValue(path, name, 'must not be padded with whitespace')]
  return name === '' ? [required(path, 'must be set when AppArmor type is Localhost')] : []
}

function validateSysctls(sysctls: readonly Sysctl[] | undefined, spec: PodSpec, path: FieldPath): FieldError[] {
  const names = new Set<string>()
  return (sysctls ?? []).flatMap(({ name }, index) => {
    const at = path.index(index).child('name')
    const errors: FieldError[] = []
    if (!name) errors.push(required(at))
    else if (name.length > SYSCTL_LENGTH_MAX || !SYSCTL.test(name)) {
      const detail = `must have at most ${SYSCTL_LENGTH_MAX} characters and match regex ^${SYSCTL_FORMAT}$`
      errors.push(invalidValue(at, name, detail))
    } else if (names.has(name)) errors.push(duplicate(at, name))
    names.add(name)
    const dotted = (name ?? '').replaceAll('/', '.')
    if (spec.hostNetwork && dotted.startsWith('net.')) {
      errors.push(invalidValue(at, name, "may not be specified when 'hostNetwork' is true"))
    }
    if (spec.hostIPC && (/^kernel\.(shm|msg|sem)/.test(dotted) || dotted.startsWith('fs.mqueue.'))) {
      errors.push(invalidValue(at, name, "may not be specified when 'hostIPC' is true"))
    }
    return errors
  })
}
