/** Where a container sees its volumes: paths are unique, volumes exist, block devices are no directories. */

import {
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  notFoundValue,
  required,
} from '../../../../machinery/meta/field-error.ts'
import type { Container, Volume, VolumeDevice, VolumeMount } from '../../types.gen.ts'
import { validateChoice } from '../findings.ts'
import { hasBacksteps, validateDescendingPath } from './paths.ts'

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None']
const RECURSIVE_READ_ONLY = ['Disabled', 'Enabled', 'IfPossible']

type Volumes = ReadonlyMap<string, Volume>

export function validateMounts(container: Container, volumes: Volumes, path: FieldPath): FieldError[] {
  const mountPaths = new Set<string>()
  return (container.volumeMounts ?? []).flatMap((mount, index) => {
    const at = path.index(index)
    const errors: FieldError[] = []
    if (!mount.name) errors.push(required(at.child('name')))
    if (!volumes.has(mount.name)) errors.push(notFoundValue(at.child('name'), mount.name ?? ''))
    if (!mount.mountPath) errors.push(required(at.child('mountPath')))
    if (mountPaths.has(mount.mountPath)) {
      errors.push(invalidValue(at.child('mountPath'), mount.mountPath, 'must be unique'))
    }
    mountPaths.add(mount.mountPath)
    errors.push(...validateAgainstDevices(mount, container.volumeDevices ?? [], at))
    errors.push(...validateSubPaths(mount, at))
    return [...errors, ...validatePropagation(mount, container, path)]
  })
}

function validateAgainstDevices(mount: VolumeMount, devices: readonly VolumeDevice[], at: FieldPath): FieldError[] {
  const errors: FieldError[] = []
  if (devices.some(({ name }) => name === mount.name)) {
    errors.push(invalidValue(at.child('name'), mount.name, 'must not already exist in volumeDevices'))
  }
  if (devices.some(({ devicePath }) => devicePath === mount.mountPath)) {
    const detail = 'must not already exist as a path in volumeDevices'
    errors.push(invalidValue(at.child('mountPath'), mount.mountPath, detail))
  }
  return errors
}

function validateSubPaths({ subPath, subPathExpr }: VolumeMount, at: FieldPath): FieldError[] {
  const errors = subPath ? validateDescendingPath(subPath, at.child('subPath')) : []
  if (!subPathExpr) return errors
  if (subPath) {
    errors.push(invalidValue(at.child('subPathExpr'), subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
  }
  return [...errors, ...validateDescendingPath(subPathExpr, at.child('subPathExpr'))]
}

/** How mounts spread is reported on the list of them. */
function validatePropagation(mount: VolumeMount, container: Container, list: FieldPath): FieldError[] {
  const { mountPropagation: propagation, recursiveReadOnly } = mount
  const errors = validateChoice(propagation, PROPAGATIONS, list.child('mountPropagation'))
  if (propagation === 'Bidirectional' && !container.securityContext?.privileged) {
    const detail = 'Bidirectional mount propagation is available only to privileged containers'
    errors.push(forbidden(list.child('mountPropagation'), detail))
  }
  const recursive = list.child('recursiveReadOnly')
  const unknown = validateChoice(recursiveReadOnly, RECURSIVE_READ_ONLY, recursive)
  errors.push(...unknown)
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled' || unknown.length > 0) return errors
  if (!mount.readOnly) {
    errors.push(forbidden(recursive, 'may only be specified when readOnly is true'))
  }
  if (propagation !== undefined && propagation !== 'None') {
    errors.push(forbidden(recursive, 'may only be specified when mountPropagation is None or not specified'))
  }
  return errors
}

function validateAgainstMounts(device: VolumeDevice, mounts: readonly VolumeMount[], at: FieldPath): FieldError[] {
  const errors: FieldError[] = []
  if (mounts.some(({ name }) => name === device.name))
    errors.push(invalidValue(at.child('name'), device.name, 'must not already exist in volumeMounts'))
  if (mounts.some(({ mountPath }) => mountPath === device.devicePath)) {
    const detail = 'must not already exist as a path in volumeMounts'
    errors.push(invalidValue(at.child('devicePath'), device.devicePath, detail))
  }
  return errors
}

export function validateDevices(container: Container, volumes: Volumes, path: FieldPath): FieldError[] {
  const names = new Set<string>()
  const devicePaths = new Set<string>()
  return (container.volumeDevices ?? []).flatMap((device, index) => {
    const at = path.index(index)
    const errors: FieldError[] = []
    if (!device.name) errors.push(required(at.child('name')))
    if (names.has(device.name)) errors.push(invalidValue(at.child('name'), device.name, 'must be unique'))
    if (device.name) names.add(device.name)
    const volume = volumes.get(device.name)
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
      const detail = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'
      errors.push(invalidValue(at.child('name'), device.name, detail))
    }
    if (!volume) errors.push(notFoundValue(at.child('name'), device.name ?? ''))
    if (!device.devicePath) errors.push(required(at.child('devicePath')))
    if (devicePaths.has(device.devicePath)) {
      errors.push(invalidValue(at.child('devicePath'), device.devicePath, 'must be unique'))
    }
    if (hasBacksteps(device.devicePath ?? ''))
      errors.push(invalidValue(at.child('devicePath'), device.devicePath, "can not contain backsteps ('..')"))
    else devicePaths.add(device.devicePath)
    return [...errors, ...validateAgainstMounts(device, container.volumeMounts ?? [], at)]
  })
}
