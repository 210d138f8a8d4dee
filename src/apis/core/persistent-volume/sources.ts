/** What a PersistentVolume can be made of, and the fields without which each source is nothing. */

import { type FieldError, type FieldPath, invalidValue, required } from '../../../machinery/meta/field-error.ts'
import { dnsSubdomainErrors } from '../../field-rules.ts'
import { validateNoBacksteps } from '../pod/volumes/validate-volume-files.ts'
import type { CSIPersistentVolumeSource, PersistentVolumeSpec } from '../types.gen.ts'

/** In the order in which they are checked. */
const REQUIRED_FIELDS = {
  hostPath: ['path'],
  gcePersistentDisk: ['pdName'],
  awsElasticBlockStore: ['volumeID'],
  glusterfs: ['endpoints', 'path'],
  flocker: [],
  nfs: ['server', 'path'],
  rbd: ['monitors', 'image'],
  quobyte: ['registry', 'volume'],
  cephfs: ['monitors'],
  iscsi: ['targetPortal', 'iqn'],
  cinder: ['volumeID'],
  fc: [],
  flexVolume: ['driver'],
  azureFile: ['secretName', 'shareName'],
  vsphereVolume: ['volumePath'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  local: ['path'],
  storageos: ['volumeName'],
  csi: ['driver', 'volumeHandle'],
} as const satisfies Partial<Record<keyof PersistentVolumeSpec, readonly string[]>>

export type SourceField = keyof typeof REQUIRED_FIELDS

export const SOURCE_FIELDS: readonly SourceField[] = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
]

export function validateSource(spec: PersistentVolumeSpec, field: SourceField, path: FieldPath): readonly FieldError[] {
  const source = spec[field] ?? {}
  const names: readonly string[] = REQUIRED_FIELDS[field]
  const missing = names.filter((name) => isMissing(Reflect.get(source, name)))
  return [...missing.map((name) => required(path.child(name))), ...particularErrors(spec, field, path)]
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
}

const HOST_PATH_TYPES = [
  '',
  'DirectoryOrCreate',
  'Directory',
  'FileOrCreate',
  'File',
  'Socket',
  'CharDevice',
  'BlockDevice',
]

function particularErrors(spec: PersistentVolumeSpec, field: SourceField, path: FieldPath): readonly FieldError[] {
  switch (field) {
    case 'hostPath':
      return [
        ...validateNoBacksteps(spec.hostPath?.path ?? '', path.child('path')),
        ...hostPathTypeErrors(spec.hostPath?.type ?? '', path.child('type')),
      ]
    case 'local':
      return validateNoBacksteps(spec.local?.path ?? '', path.child('path'))
    case 'nfs':
      if (!spec.nfs?.path || spec.nfs.path.startsWith('/')) return []
      return [invalidValue(path.child('path'), spec.nfs.path, 'must be an absolute path')]
    case 'flocker':
      return flockerErrors(spec.flocker ?? {}, path)
    case 'fc':
      return fibreChannelErrors(spec.fc ?? {}, path)
    case 'csi':
      return spec.csi ? csiErrors(spec.csi, path) : []
    default:
      return []
  }
}

function hostPathTypeErrors(type: string, path: FieldPath): readonly FieldError[] {
  if (HOST_PATH_TYPES.includes(type)) return []
  const choices = [...HOST_PATH_TYPES].sort().map((choice) => JSON.stringify(choice))
  const message = `Unsupported value: ${JSON.stringify(type)}: supported values: ${choices.join(', ')}`
  return [{ type: 'FieldValueNotSupported', path: path.text, message }]
}

function flockerErrors(
  { datasetName, datasetUUID }: NonNullable<PersistentVolumeSpec['flocker']>,
  path: FieldPath,
): readonly FieldError[] {
  if (!datasetName && !datasetUUID) return [required(path, 'one of datasetName and datasetUUID is required')]
  if (datasetName && datasetUUID)
    return [invalidValue(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously')]
  if (!datasetName?.includes('/')) return []
  return [invalidValue(path.child('datasetName'), datasetName, "must not contain '/'")]
}

function fibreChannelErrors(
  { targetWWNs = [], wwids = [], lun }: NonNullable<PersistentVolumeSpec['fc']>,
  path: FieldPath,
): readonly FieldError[] {
  const worldWide = path.child('targetWWNs')
  if (targetWWNs.length === 0 && wwids.length === 0)
    return [required(worldWide, 'must specify either targetWWNs or wwids, but not both')]
  if (targetWWNs.length > 0 && wwids.length > 0)
    return [invalidValue(worldWide, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously')]
  if (targetWWNs.length === 0) return []
  if (lun === undefined) return [required(path.child('lun'), 'lun is required if targetWWNs is specified')]
  return lun >= 0 && lun <= 255 ? [] : [invalidValue(path.child('lun'), lun, 'must be between 0 and 255, inclusive')]
}

const CSI_SECRETS = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const

function csiErrors(source: CSIPersistentVolumeSource, path: FieldPath): readonly FieldError[] {
  const secrets = CSI_SECRETS.flatMap((field) => {
    const secret = source[field]
    if (!secret) return []
    return (['name', 'namespace'] as const).flatMap((part) => (secret[part] ? [] : [required(path.child(field, part))]))
  })
  const driver = source.driver ? dnsSubdomainErrors(path.child('driver'), source.driver.toLowerCase()) : []
  return [...driver, ...secrets]
}
