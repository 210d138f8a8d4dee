/** Rules of storage that comes over the network, for volumes of pods and for PersistentVolumes alike. */

import {
  type FieldError,
  type FieldPath,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from '../../../machinery/meta/field-error.ts'
import { isDns1123Subdomain } from '../../../machinery/meta/names.ts'
import { dnsLabelErrors, findingErrors } from '../../field-rules.ts'
import { requiredFields, validateChoice, validateRange } from '../pod/findings.ts'
import type {
  AzureDiskVolumeSource,
  FCVolumeSource,
  FlexVolumeSource,
  FlockerVolumeSource,
  ISCSIVolumeSource,
  NFSVolumeSource,
  PersistentVolumeSpec,
  QuobyteVolumeSource,
  StorageOSPersistentVolumeSource,
} from '../types.gen.ts'

type Spec = PersistentVolumeSpec

/** A source of either kind; what only volumes of the cluster have is checked where it is there. */
export const networkSources = {
  gcePersistentDisk: (disk: NonNullable<Spec['gcePersistentDisk']>, at: FieldPath) => [
    ...requiredFields(disk, ['pdName'], at),
    ...partitionErrors(disk.partition, at),
  ],
  awsElasticBlockStore: (disk: NonNullable<Spec['awsElasticBlockStore']>, at: FieldPath) => [
    ...requiredFields(disk, ['volumeID'], at),
    ...partitionErrors(disk.partition, at),
  ],
  nfs: nfsErrors,
  flocker: flockerErrors,
  rbd: (source: NonNullable<Spec['rbd']>, at: FieldPath) => requiredFields(source, ['monitors', 'image'], at),
  quobyte: quobyteErrors,
  cephfs: (source: NonNullable<Spec['cephfs']>, at: FieldPath) => requiredFields(source, ['monitors'], at),
  fc: fibreChannelErrors,
  flexVolume: flexErrors,
  azureFile: (source: NonNullable<Spec['azureFile']>, at: FieldPath) =>
    requiredFields(source, ['secretName', 'shareName'], at),
  vsphereVolume: (source: NonNullable<Spec['vsphereVolume']>, at: FieldPath) =>
    requiredFields(source, ['volumePath'], at),
  photonPersistentDisk: (source: NonNullable<Spec['photonPersistentDisk']>, at: FieldPath) =>
    requiredFields(source, ['pdID'], at),
  portworxVolume: (source: NonNullable<Spec['portworxVolume']>, at: FieldPath) =>
    requiredFields(source, ['volumeID'], at),
  azureDisk: azureDiskErrors,
  scaleIO: (source: NonNullable<Spec['scaleIO']>, at: FieldPath) =>
    requiredFields(source, ['gateway', 'system', 'volumeName'], at),
  glusterfs: (source: NonNullable<Spec['glusterfs']>, at: FieldPath) =>
    requiredFields(source, ['endpoints', 'path'], at),
} as const

/** Under which name a surplus source is refused, and one that is checked is named, where that is not its own. */
export const SURPLUS_NAMES: Readonly<Record<string, string>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' }
export const CHECKED_NAMES: Readonly<Record<string, string>> = { gcePersistentDisk: 'persistentDisk' }

function partitionErrors(partition: number | undefined, at: FieldPath): FieldError[] {
  if (partition === undefined || (partition >= 0 && partition <= 255)) return []
  return [invalidValue(at.child('partition'), partition, 'must be between 1 and 255, inclusive')]
}

function nfsErrors(nfs: NFSVolumeSource, at: FieldPath): FieldError[] {
  const errors = requiredFields(nfs, ['server', 'path'], at)
  if (!nfs.path?.startsWith('/')) errors.push(invalidValue(at.child('path'), nfs.path, 'must be an absolute path'))
  return errors
}

function flockerErrors({ datasetName, datasetUUID }: FlockerVolumeSource, at: FieldPath): FieldError[] {
  const errors: FieldError[] = []
  if (!datasetName && !datasetUUID) errors.push(required(at, 'one of datasetName and datasetUUID is required'))
  if (datasetName && datasetUUID)
    errors.push(invalidValue(at, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'))
  if (datasetName?.includes('/'))
    errors.push(invalidValue(at.child('datasetName'), datasetName, "must not contain '/'"))
  return errors
}

const HOST_AND_PORT = 'must be a host:port pair or multiple pairs separated by commas'
/** Characters of a tenant's UUID. */
const TENANT_LENGTH_MAX = 64

function quobyteErrors(source: QuobyteVolumeSource, at: FieldPath): FieldError[] {
  const { registry = '', tenant = '' } = source
  return [...registryErrors(registry, tenant, at), ...requiredFields(source, ['volume'], at)]
}

function registryErrors(registry: string, tenant: string, at: FieldPath): FieldError[] {
  if (registry === '') return [required(at.child('registry'), HOST_AND_PORT)]
  if (tenant.length > TENANT_LENGTH_MAX)
    return [required(at.child('tenant'), 'must be a UUID and may not exceed a length of 64 characters')]
  const wrong = registry.split(',').filter((pair) => !/^([^:[\]]*|\[[^[\]]*\]):[^:[\]]*$/.test(pair))
  return wrong.map(() => invalidValue(at.child('registry'), registry, HOST_AND_PORT))
}

function fibreChannelErrors({ targetWWNs, wwids, lun }: FCVolumeSource, at: FieldPath): FieldError[] {
  const named = (targetWWNs ?? []).length > 0
  const wide = (wwids ?? []).length > 0
  const errors: FieldError[] = []
  if (!named && !wide)
    errors.push(required(at.child('targetWWNs'), 'must specify either targetWWNs or wwids, but not both'))
  if (named && wide) {
    const detail = 'targetWWNs and wwids can not be specified simultaneously'
    errors.push(invalidValue(at.child('targetWWNs'), targetWWNs, detail))
  }
  if (!named) return errors
  if (lun === undefined) return [...errors, required(at.child('lun'), 'lun is required if targetWWNs is specified')]
  return [...errors, ...validateRange(lun, 0, 255, at.child('lun'))]
}

function flexErrors(source: FlexVolumeSource, at: FieldPath): FieldError[] {
  const reserved = Object.keys(source.options ?? {}).filter((name) => {
    const slash = name.indexOf('/')
    const domain = `.${(slash < 0 ? name : name.slice(0, slash)).toLowerCase()}`
    return domain.endsWith('.kubernetes.io') || domain.endsWith('.k8s.io')
  })
  const detail = 'kubernetes.io and k8s.io namespaces are reserved'
  const errors = reserved.map((name) => invalidValue(at.child('options').key(name), name, detail))
  return [...requiredFields(source, ['driver'], at), ...errors]
}

const CACHING_MODES = ['None', 'ReadOnly', 'ReadWrite']
const DISK_KINDS = ['Dedicated', 'Managed', 'Shared']
const MANAGED_DISK = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'
const BLOB_DISK = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd'

function azureDiskErrors(disk: AzureDiskVolumeSource, at: FieldPath): FieldError[] {
  const { diskURI = '', kind, cachingMode } = disk
  const errors = [
    ...requiredFields(disk, ['diskName', 'diskURI'], at),
    ...validateChoice(cachingMode, CACHING_MODES, at.child('cachingMode')),
    ...validateChoice(kind, DISK_KINDS, at.child('kind')),
  ]
  if (kind === undefined) return errors
  const managed = kind === 'Managed'
  if (diskURI.startsWith(managed ? '/subscriptions/' : 'https://')) return errors
  return [...errors, notSupported(at.child('diskURI'), diskURI, [managed ? MANAGED_DISK : BLOB_DISK])]
}

export interface IscsiParticulars {
  /** Of a name that begins like none of the three forms. */
  readonly unknownForm: string
  /** Found of the portal, and of the secret. */
  readonly portal: readonly FieldError[]
  readonly secret: readonly FieldError[]
}

export function iscsiErrors(
  source: Omit<ISCSIVolumeSource, 'secretRef'>,
  at: FieldPath,
  { unknownForm, portal, secret }: IscsiParticulars,
): FieldError[] {
  const { iqn, initiatorName, lun } = source
  return [
    ...requiredFields(source, ['targetPortal'], at),
    ...portal,
    ...(iqn ? iscsiNameErrors(iqn, at.child('iqn'), unknownForm) : [required(at.child('iqn'))]),
    ...validateRange(lun, 0, 255, at.child('lun')),
    ...secret,
    ...(initiatorName === undefined ? [] : iscsiNameErrors(initiatorName, at.child('initiatorname'), unknownForm)),
  ]
}

/** Who must show itself needs something to show. */
export function iscsiNeedsSecret({
  chapAuthDiscovery,
  chapAuthSession,
}: Omit<ISCSIVolumeSource, 'secretRef'>): boolean {
  return Boolean(chapAuthDiscovery || chapAuthSession)
}

const ISCSI_FORMS: readonly (readonly [prefix: string, form: RegExp])[] = [
  ['iqn', /iqn\.\d{4}-\d{2}\.([a-zA-Z0-9.-]+)(:[^,;*&$|\s]+)$/],
  ['eui', /^eui.[a-zA-Z0-9]{16}$/],
  ['naa', /^naa.[a-zA-Z0-9]{32}$/],
]

function iscsiNameErrors(name: string, at: FieldPath, unknownForm: string): FieldError[] {
  const form = ISCSI_FORMS.find(([prefix]) => name.startsWith(prefix))
  if (!form) return [invalidValue(at, name, unknownForm)]
  return form[1].test(name) ? [] : [invalidValue(at, name, 'must be valid format')]
}

export function storageOsErrors(
  source: Omit<StorageOSPersistentVolumeSource, 'secretRef'>,
  at: FieldPath,
): FieldError[] {
  const { volumeName, volumeNamespace } = source
  return [
    ...(volumeName ? dnsLabelErrors(at.child('volumeName'), volumeName) : [required(at.child('volumeName'))]),
    ...(volumeNamespace ? dnsLabelErrors(at.child('volumeNamespace'), volumeNamespace) : []),
  ]
}

/** Characters of a driver's name. */
const DRIVER_NAME_LENGTH_MAX = 63

export function driverNameErrors(name: string | undefined, path: FieldPath): FieldError[] {
  if (!name) return [required(path)]
  return [
    ...(name.length > DRIVER_NAME_LENGTH_MAX ? [tooLong(path, DRIVER_NAME_LENGTH_MAX)] : []),
    ...findingErrors(path, name, isDns1123Subdomain(name.toLowerCase())),
  ]
}
