/** The objects that a pod names, in its own namespace: what whoever runs the pod must be able to read. */

import type { Container, EphemeralContainer, PersistentVolume, Pod, Volume } from './types.gen.ts'

type AnyContainer = Pick<Container | EphemeralContainer, 'env' | 'envFrom'>

function containersOf({ spec }: Pod): readonly AnyContainer[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])]
}

export function podConfigMaps(pod: Pod): ReadonlySet<string> {
  return named([
    ...containersOf(pod).flatMap(({ env, envFrom }) => [
      ...(env ?? []).map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
      ...(envFrom ?? []).map(({ configMapRef }) => configMapRef?.name),
    ]),
    ...(pod.spec?.volumes ?? []).flatMap(({ configMap, projected }) => [
      configMap?.name,
      ...(projected?.sources ?? []).map((source) => source.configMap?.name),
    ]),
  ])
}

export function podSecrets(pod: Pod): ReadonlySet<string> {
  return named([
    ...(pod.spec?.imagePullSecrets ?? []).map(({ name }) => name),
    ...containersOf(pod).flatMap(({ env, envFrom }) => [
      ...(env ?? []).map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ...(envFrom ?? []).map(({ secretRef }) => secretRef?.name),
    ]),
    ...(pod.spec?.volumes ?? []).flatMap(volumeSecrets),
  ])
}

function volumeSecrets(volume: Volume): readonly (string | undefined)[] {
  return [
    volume.secret?.secretName,
    ...(volume.projected?.sources ?? []).map(({ secret }) => secret?.name),
    volume.csi?.nodePublishSecretRef?.name,
    volume.azureFile?.secretName,
    volume.cephfs?.secretRef?.name,
    volume.cinder?.secretRef?.name,
    volume.flexVolume?.secretRef?.name,
    volume.iscsi?.secretRef?.name,
    volume.rbd?.secretRef?.name,
    volume.scaleIO?.secretRef?.name,
    volume.storageos?.secretRef?.name,
  ]
}

/** Claims of its own among them: those are called after pod and volume. */
export function podVolumeClaims({ metadata, spec }: Pod): ReadonlySet<string> {
  return named(
    (spec?.volumes ?? []).map(({ name, persistentVolumeClaim, ephemeral }) =>
      ephemeral ? `${metadata.name}-${name}` : persistentVolumeClaim?.claimName,
    ),
  )
}

/** As far as they have been made. */
export function podResourceClaims({ spec, status }: Pod): ReadonlySet<string> {
  const made = new Map(status?.resourceClaimStatuses?.map(({ name, resourceClaimName }) => [name, resourceClaimName]))
  return named([
    ...(spec?.resourceClaims ?? []).map(({ name, resourceClaimName }) => resourceClaimName ?? made.get(name)),
    status?.extendedResourceClaimStatus?.resourceClaimName,
  ])
}

/** Secrets that a node needs to mount the volume; as `namespace/name`. */
export function persistentVolumeSecrets({ spec }: PersistentVolume): ReadonlySet<string> {
  if (!spec) return new Set()
  const { csi, azureFile } = spec
  const references = [
    csi?.nodePublishSecretRef,
    csi?.nodeStageSecretRef,
    csi?.nodeExpandSecretRef,
    azureFile && { name: azureFile.secretName, namespace: azureFile.secretNamespace },
    ...[spec.cephfs, spec.cinder, spec.flexVolume, spec.iscsi, spec.rbd, spec.scaleIO, spec.storageos].map(
      (source) => source?.secretRef,
    ),
  ]
  const inClaim = spec.claimRef?.namespace ?? ''
  return named(references.map((found) => found?.name && `${found.namespace || inClaim}/${found.name}`))
}

function named(names: readonly (string | undefined)[]): ReadonlySet<string> {
  return new Set(names.filter((name): name is string => name !== undefined && name !== ''))
}
