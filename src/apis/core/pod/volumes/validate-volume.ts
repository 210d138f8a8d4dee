/** Volumes: a name, unique in the pod, and exactly one source. */

import {
  duplicate,
  type FieldError,
  type FieldPath,
  forbidden,
  required,
} from '../../../../machinery/meta/field-error.ts'
import { isNegative, quantityOf } from '../../../../machinery/meta/quantity.ts'
import { dnsLabelErrors, dnsSubdomainErrors } from '../../../field-rules.ts'
import type {
  CSIVolumeSource,
  EphemeralVolumeSource,
  HostPathVolumeSource,
  ImageVolumeSource,
  ISCSIVolumeSource,
  LocalObjectReference,
  Volume,
} from '../../types.gen.ts'
import {
  CHECKED_NAMES,
  driverNameErrors,
  iscsiErrors,
  iscsiNeedsSecret,
  networkSources,
  SURPLUS_NAMES,
  storageOsErrors,
} from '../../volumes/network-sources.ts'
import { requiredFields, validateChoice } from '../findings.ts'
import { validateDescendingPath, validateNoBacksteps } from './paths.ts'
import { validateDownwardFiles, validateKeysToPaths, validateMode, validateProjected } from './validate-volume-files.ts'

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
  gcePersistentDisk: networkSource('gcePersistentDisk'),
  awsElasticBlockStore: networkSource('awsElasticBlockStore'),
  secret: ({ secret }, at) => [
    ...requiredFields(secret, ['secretName'], at),
    ...validateMode(secret?.defaultMode, at.child('defaultMode')),
    ...validateKeysToPaths(secret?.items, at.child('items')),
  ],
  nfs: networkSource('nfs'),
  iscsi: ({ iscsi }, at) => (iscsi ? validateIscsi(iscsi, at) : []),
  glusterfs: networkSource('glusterfs'),
  flocker: networkSource('flocker'),
  persistentVolumeClaim: ({ persistentVolumeClaim: claim }, at) => requiredFields(claim, ['claimName'], at),
  rbd: networkSource('rbd'),
  cinder: ({ cinder }, at) => [
    ...requiredFields(cinder, ['volumeID'], at),
    ...namedSecretErrors(cinder?.secretRef, at),
  ],
  cephfs: networkSource('cephfs'),
  quobyte: networkSource('quobyte'),
  downwardAPI: ({ downwardAPI }, at) => [
    ...validateMode(downwardAPI?.defaultMode, at.child('defaultMode')),
    ...validateDownwardFiles(downwardAPI?.items, at),
  ],
  fc: networkSource('fc'),
  flexVolume: networkSource('flexVolume'),
  configMap: ({ configMap }, at) => [
    ...requiredFields(configMap, ['name'], at),
    ...validateMode(configMap?.defaultMode, at.child('defaultMode')),
    ...validateKeysToPaths(configMap?.items, at.child('items')),
  ],
  azureFile: networkSource('azureFile'),
  vsphereVolume: networkSource('vsphereVolume'),
  photonPersistentDisk: networkSource('photonPersistentDisk'),
  portworxVolume: networkSource('portworxVolume'),
  azureDisk: networkSource('azureDisk'),
  storageos: ({ storageos }, at) =>
    storageos ? [...storageOsErrors(storageos, at), ...namedSecretErrors(storageos.secretRef, at)] : [],
  projected: ({ projected }, at) => (projected ? validateProjected(projected, at) : []),
  scaleIO: networkSource('scaleIO'),
  csi: ({ csi }, at) => (csi ? validateCsi(csi, at) : []),
  ephemeral: ({ ephemeral }, at) => (ephemeral ? validateEphemeral(ephemeral, at) : []),
  image: ({ image }, at) => (image ? validateImage(image, at) : []),
}

function validateSource(volume: Volume, at: FieldPath): FieldError[] {
  const errors: FieldError[] = []
  let found = 0
  for (const source of Object.keys(rules) as Source[]) {
    if (volume[source] === undefined) continue
    if (found > 0)
      errors.push(forbidden(at.child(SURPLUS_NAMES[source] ?? source), 'may not specify more than 1 volume type'))
    else errors.push(...rules[source](volume, at.child(CHECKED_NAMES[source] ?? source)))
    found++
  }
  if (found === 0) errors.push(required(at, 'must specify a volume type'))
  return errors
}

function networkSource(name: keyof typeof networkSources & Source): SourceRule {
  // The rule of a name is for the source of this name.
  const rule = networkSources[name] as (source: object, at: FieldPath) => readonly FieldError[]
  return (volume, at) => {
    const source = volume[name]
    return source === undefined ? [] : rule(source, at)
  }
}

function namedSecretErrors(secret: LocalObjectReference | undefined, at: FieldPath): FieldError[] {
  return secret ? requiredFields(secret, ['name'], at.child('secretRef')) : []
}

export function validateHostPath(source: HostPathVolumeSource, at: FieldPath): FieldError[] {
  if (!source.path) return [required(at.child('path'))]
  const errors = validateNoBacksteps(source.path, at.child('path'))
  return [...errors, ...validateChoice(source.type, HOST_PATH_TYPES, at.child('type'))]
}

const ISCSI_FORM = 'must be valid format starting with iqn, eui, or naa'

function validateIscsi(iscsi: ISCSIVolumeSource, at: FieldPath): FieldError[] {
  const secret = iscsiNeedsSecret(iscsi) && !iscsi.secretRef ? [required(at.child('secretRef'))] : []
  return iscsiErrors(iscsi, at, { unknownForm: ISCSI_FORM, portal: [], secret })
}

function validateCsi(csi: CSIVolumeSource, at: FieldPath): FieldError[] {
  const errors = driverNameErrors(csi.driver, at.child('driver'))
  const { nodePublishSecretRef: secret } = csi
  if (!secret) return errors
  if (!secret.name) return [...errors, required(at.child('nodePublishSecretRef', 'name'))]
  return [...errors, ...dnsSubdomainErrors(at.child('name'), secret.name)]
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
