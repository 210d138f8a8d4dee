/** Volumes: a name, unique in the pod, and exactly one source. */

import {
  duplicate,
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  required,
} from '../../../../machinery/meta/field-error.ts'
import { isNegative, quantityOf } from '../../../../machinery/meta/quantity.ts'
import { dnsLabelErrors } from '../../../field-rules.ts'
import type {
  CSIVolumeSource,
  EphemeralVolumeSource,
  HostPathVolumeSource,
  ImageVolumeSource,
  ISCSIVolumeSource,
  NFSVolumeSource,
  Volume,
} from '../../types.gen.ts'
import { requiredFields, validateChoice } from '../findings.ts'
import {
  validateDescendingPath,
  validateDownwardFiles,
  validateKeysToPaths,
  validateMode,
  validateNoBacksteps,
  validateProjected,
} from './validate-volume-files.ts'

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]

export interface ValidatedVolumes {
  readonly errors: readonly FieldError[]
  /** Volumes without errors, by name: what containers may mount. */
  readonly byName: ReadonlyMap<string, Volume>
}

export function validateVolumes(volumes: readonly Volume[] | undefined, path: FieldPath): ValidatedVolumes {
  const byName = new Map<string, Volume>()
  const errors: FieldError[] = []
  for (const [index, volume] of (volumes ?? []).entries()) {
    const at = path.index(index)
    const found = validateSource(volume, at)
    if (!volume.name) found.push(required(at.child('name')))
    else found.push(...dnsLabelErrors(at.child('name'), volume.name))
    if (byName.has(volume.name)) found.push(duplicate(at.child('name'), volume.name))
    if (found.length === 0) byName.set(volume.name, volume)
    errors.push(...found)
  }
  return { errors, byName }
}

type Source = Exclude<keyof Volume, 'name'>
type SourceRule = (volume: Volume, at: FieldPath) => readonly FieldError[]

/** One rule per source, in the order in which a second source is refused. */
const rules: Readonly<Record<Source, SourceRule>> = {
  emptyDir: ({ emptyDir }, at) =>
    emptyDir?.sizeLimit !== undefined && isNegative(quantityOf(emptyDir.sizeLimit))
      ? [forbidden(at.child('sizeLimit'), 'SizeLimit field must be a valid resource quantity')]
      : [],
  hostPath: ({ hostPath }, at) => (hostPath ? validateHostPath(hostPath, at) : []),
  gitRepo: ({ gitRepo }, at) => [
    ...requiredFields(gitRepo, ['repository'], at),
    ...validateDescendingPath(gitRepo?.directory ?? '', at.child('directory')),
  ],
  gcePersistentDisk: ({ gcePersistentDisk: disk }, at) => [
    ...requiredFields(disk, ['pdName'], at),
    ...validatePartition(disk?.partition, at),
  ],
  awsElasticBlockStore: ({ awsElasticBlockStore: disk }, at) => [
    ...requiredFields(disk, ['volumeID'], at),
    ...validatePartition(disk?.partition, at),
  ],
  secret: ({ secret }, at) => [
    ...requiredFields(secret, ['secretName'], at),
    ...validateMode(secret?.defaultMode, at.child('defaultMode')),
    ...validateKeysToPaths(secret?.items, at.child('items')),
  ],
  nfs: ({ nfs }, at) => (nfs ? validateNfs(nfs, at) : []),
  iscsi: ({ iscsi }, at) => (iscsi ? validateIscsi(iscsi, at) : []),
  glusterfs: ({ glusterfs }, at) => requiredFields(glusterfs, ['endpoints', 'path'], at),
  flocker: ({ flocker }, at) => {
    if (!flocker?.datasetName && !flocker?.datasetUUID) {
      return [required(at, 'one of datasetName and datasetUUID is required')]
    }
    const both = flocker.datasetName && flocker.datasetUUID
    return both ? [invalidValue(at, 'resource', 'datasetName and datasetUUID can not be specified simultaneously')] : []
  },
  persistentVolumeClaim: ({ persistentVolumeClaim: claim }, at) => requiredFields(claim, ['claimName'], at),
  rbd: ({ rbd }, at) => requiredFields(rbd, ['monitors', 'image'], at),
  cinder: ({ cinder }, at) => [
    ...requiredFields(cinder, ['volumeID'], at),
    ...(cinder?.secretRef ? requiredFields(cinder.secretRef, ['name'], at.child('secretRef')) : []),
  ],
  cephfs: ({ cephfs }, at) => requiredFields(cephfs, ['monitors'], at),
  quobyte: ({ quobyte }, at) => requiredFields(quobyte, ['registry', 'volume'], at),
  downwardAPI: ({ downwardAPI }, at) => [
    ...validateMode(downwardAPI?.defaultMode, at.child('defaultMode')),
    ...validateDownwardFiles(downwardAPI?.items, at),
  ],
  fc: ({ fc }, at) => {
    const named = (fc?.targetWWNs ?? []).length > 0
    const wide = (fc?.wwids ?? []).length > 0
    if (!named && !wide) {
      return [required(at.child('targetWWNs'), 'must specify either targetWWNs or wwids, but not both')]
    }
    if (named && wide) {
      return [
        invalidValue(
          at.child('targetWWNs'),
          fc?.targetWWNs,
          'targetWWNs and wwids can not be specified simultaneously',
        ),
      ]
    }
    return named && fc?.lun === undefined
      ? [required(at.child('lun'), 'lun is required if targetWWNs is specified')]
      : []
  },
  flexVolume: ({ flexVolume }, at) => requiredFields(flexVolume, ['driver'], at),
  configMap: ({ configMap }, at) => [
    ...requiredFields(configMap, ['name'], at),
    ...validateMode(configMap?.defaultMode, at.child('defaultMode')),
    ...validateKeysToPaths(configMap?.items, at.child('items')),
  ],
  azureFile: ({ azureFile }, at) => requiredFields(azureFile, ['secretName', 'shareName'], at),
  vsphereVolume: ({ vsphereVolume }, at) => requiredFields(vsphereVolume, ['volumePath'], at),
  photonPersistentDisk: ({ photonPersistentDisk: disk }, at) => requiredFields(disk, ['pdID'], at),
  portworxVolume: ({ portworxVolume }, at) => requiredFields(portworxVolume, ['volumeID'], at),
  azureDisk: ({ azureDisk }, at) => requiredFields(azureDisk, ['diskName', 'diskURI'], at),
  storageos: ({ storageos }, at) => requiredFields(storageos, ['volumeName'], at),
  scaleIO: ({ scaleIO }, at) => requiredFields(scaleIO, ['gateway', 'system', 'volumeName'], at),
  projected: ({ projected }, at) => (projected ? validateProjected(projected, at) : []),
  csi: ({ csi }, at) => (csi ? validateCsi(csi, at) : []),
  ephemeral: ({ ephemeral }, at) => (ephemeral ? validateEphemeral(ephemeral, at) : []),
  image: ({ image }, at) => (image ? validateImage(image, at) : []),
}

function validateSource(volume: Volume, at: FieldPath): FieldError[] {
  const errors: FieldError[] = []
  let found = 0
  for (const source of Object.keys(rules) as Source[]) {
    if (volume[source] === undefined) continue
    if (found > 0) errors.push(forbidden(at.child(source), 'may not specify more than 1 volume type'))
    else errors.push(...rules[source](volume, at.child(source)))
    found++
  }
  if (found === 0) errors.push(required(at, 'must specify a volume type'))
  return errors
}

function validatePartition(partition: number | undefined, at: FieldPath): FieldError[] {
  if (partition === undefined || (partition >= 0 && partition <= 255)) return []
  return [invalidValue(at.child('partition'), partition, 'must be between 0 and 255, inclusive')]
}

function validateHostPath(source: HostPathVolumeSource, at: FieldPath): FieldError[] {
  if (!source.path) return [required(at.child('path'))]
  const errors = validateNoBacksteps(source.path, at.child('path'))
  return [...errors, ...validateChoice(source.type, HOST_PATH_TYPES, at.child('type'))]
}

function validateNfs(nfs: NFSVolumeSource, at: FieldPath): FieldError[] {
  const errors = requiredFields(nfs, ['server', 'path'], at)
  if (!nfs.path?.startsWith('/')) errors.push(invalidValue(at.child('path'), nfs.path, 'must be an absolute path'))
  return errors
}

function validateIscsi(iscsi: ISCSIVolumeSource, at: FieldPath): FieldError[] {
  const errors = requiredFields(iscsi, ['targetPortal', 'iqn'], at)
  if (iscsi.iqn && !/^(iqn|eui|naa)\./.test(iscsi.iqn)) {
    errors.push(invalidValue(at.child('iqn'), iscsi.iqn, 'must be valid format starting with iqn, eui, or naa'))
  }
  if (iscsi.lun < 0 || iscsi.lun > 255) {
    errors.push(invalidValue(at.child('lun'), iscsi.lun, 'must be between 0 and 255, inclusive'))
  }
  const authenticated = iscsi.chapAuthDiscovery || iscsi.chapAuthSession
  return authenticated && !iscsi.secretRef ? [...errors, required(at.child('secretRef'))] : errors
}

function validateCsi(csi: CSIVolumeSource, at: FieldPath): FieldError[] {
  const errors = requiredFields(csi, ['driver'], at)
  if (csi.nodePublishSecretRef) {
    errors.push(...requiredFields(csi.nodePublishSecretRef, ['name'], at.child('nodePublishSecretRef')))
  }
  return errors
}

function validateEphemeral(ephemeral: EphemeralVolumeSource, at: FieldPath): FieldError[] {
  const template = ephemeral.volumeClaimTemplate
  if (!template) return [required(at.child('volumeClaimTemplate'))]
  const spec = at.child('volumeClaimTemplate', 'spec')
  const errors: FieldError[] = []
  if ((template.spec?.accessModes ?? []).length === 0) {
    errors.push(required(spec.child('accessModes'), 'at least 1 access mode is required'))
  }
  if (template.spec?.resources?.requests?.storage === undefined) {
    errors.push(required(spec.child('resources').key('storage')))
  }
  return errors
}

function validateImage(image: ImageVolumeSource, at: FieldPath): FieldError[] {
  const errors = requiredFields(image, ['reference'], at)
  const policies = ['Always', 'IfNotPresent', 'Never']
  return [...errors, ...validateChoice(image.pullPolicy, policies, at.child('pullPolicy'))]
}
