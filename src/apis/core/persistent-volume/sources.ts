/** What a PersistentVolume can be made of, and the rules of each source, in the order in which they are checked. */

import {
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  required,
} from '../../../machinery/meta/field-error.ts'
import { nameIsDns1123Label } from '../../../machinery/meta/names.ts'
import { dnsLabelErrors, dnsSubdomainErrors, findingErrors } from '../../field-rules.ts'
import { requiredFields } from '../pod/findings.ts'
import { validateNoBacksteps } from '../pod/volumes/paths.ts'
import { validateHostPath } from '../pod/volumes/validate-volume.ts'
import type { CSIPersistentVolumeSource, PersistentVolumeSpec, SecretReference } from '../types.gen.ts'
import {
  CHECKED_NAMES,
  driverNameErrors,
  iscsiErrors,
  iscsiNeedsSecret,
  networkSources,
  SURPLUS_NAMES,
  storageOsErrors,
} from '../volumes/network-sources.ts'

type Spec = PersistentVolumeSpec
type Rules = {
  readonly [Name in keyof Spec]?: (source: NonNullable<Spec[Name]>, at: FieldPath) => readonly FieldError[]
}

const RULES = {
  hostPath: validateHostPath,
  gcePersistentDisk: networkSources.gcePersistentDisk,
  awsElasticBlockStore: networkSources.awsElasticBlockStore,
  glusterfs: (source, at) => [
    ...networkSources.glusterfs(source, at),
    ...endpointsNamespaceErrors(source.endpointsNamespace, at.child('endpointsNamespace')),
  ],
  flocker: networkSources.flocker,
  nfs: networkSources.nfs,
  rbd: networkSources.rbd,
  quobyte: networkSources.quobyte,
  cephfs: networkSources.cephfs,
  iscsi: (source, at) =>
    iscsiErrors(source, at, { unknownForm: 'must be valid format', portal: [], secret: iscsiSecretErrors(source, at) }),
  cinder: (source, at) => [...requiredFields(source, ['volumeID'], at), ...secretErrors(source.secretRef, at)],
  fc: networkSources.fc,
  flexVolume: networkSources.flexVolume,
  azureFile: (source, at) => [
    ...networkSources.azureFile(source, at),
    ...(source.secretNamespace === '' ? [required(at.child('secretNamespace'))] : []),
  ],
  vsphereVolume: networkSources.vsphereVolume,
  photonPersistentDisk: networkSources.photonPersistentDisk,
  portworxVolume: networkSources.portworxVolume,
  azureDisk: networkSources.azureDisk,
  scaleIO: networkSources.scaleIO,
  local: ({ path }, at) => (path ? validateNoBacksteps(path, at.child('path')) : [required(at.child('path'))]),
  storageos: (source, at) => [...storageOsErrors(source, at), ...secretErrors(source.secretRef, at)],
  csi: csiErrors,
} as const satisfies Rules

export type SourceField = keyof typeof RULES

export const SOURCE_FIELDS = Object.keys(RULES) as readonly SourceField[]

/** One source, and no other besides; FlexVolumes are checked wherever they stand. */
export function sourceErrors(spec: Spec, path: FieldPath, affinityIsGiven: boolean): readonly FieldError[] {
  const errors: FieldError[] = []
  let found = 0
  for (const name of SOURCE_FIELDS) {
    const source = spec[name]
    if (source === undefined) continue
    if (found > 0 && name !== 'flexVolume')
      errors.push(forbidden(path.child(SURPLUS_NAMES[name] ?? name), 'may not specify more than 1 volume type'))
    else errors.push(...errorsOf(name, source, path), ...localErrors(name, path, affinityIsGiven))
    found++
  }
  return found === 0 ? [required(path, 'must specify a volume type')] : errors
}

function errorsOf(name: SourceField, source: object, path: FieldPath): readonly FieldError[] {
  // The rule of a name is for the source of this name.
  const rule = RULES[name] as (source: object, at: FieldPath) => readonly FieldError[]
  return rule(source, path.child(CHECKED_NAMES[name] ?? name))
}

function localErrors(name: SourceField, path: FieldPath, affinityIsGiven: boolean): readonly FieldError[] {
  if (name !== 'local' || affinityIsGiven) return []
  return [required(path.child('nodeAffinity'), 'Local volume requires node affinity')]
}

function endpointsNamespaceErrors(name: string | undefined, path: FieldPath): readonly FieldError[] {
  if (name === undefined) return []
  if (name === '')
    return [invalidValue(path, name, 'if the endpointnamespace is set, it must be a valid namespace name')]
  return findingErrors(path, name, nameIsDns1123Label(name, false))
}

function iscsiSecretErrors(source: NonNullable<Spec['iscsi']>, at: FieldPath): readonly FieldError[] {
  if (source.secretRef) return requiredFields(source.secretRef, ['name'], at.child('secretRef'))
  return iscsiNeedsSecret(source) ? [required(at.child('secretRef'))] : []
}

function secretErrors(secret: SecretReference | undefined, at: FieldPath): readonly FieldError[] {
  return secret ? requiredFields(secret, ['name', 'namespace'], at.child('secretRef')) : []
}

const CSI_SECRETS = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const

function csiErrors(source: CSIPersistentVolumeSource, at: FieldPath): readonly FieldError[] {
  return [
    ...driverNameErrors(source.driver, at.child('driver')),
    ...requiredFields(source, ['volumeHandle'], at),
    ...CSI_SECRETS.flatMap((field) => {
      const secret = source[field]
      return secret ? csiSecretErrors(secret, at.child(field)) : []
    }),
  ]
}

function csiSecretErrors({ name, namespace }: SecretReference, at: FieldPath): readonly FieldError[] {
  return [
    ...(name ? dnsSubdomainErrors(at.child('name'), name) : [required(at.child('name'))]),
    ...(namespace ? dnsLabelErrors(at.child('namespace'), namespace) : [required(at.child('namespace'))]),
  ]
}
