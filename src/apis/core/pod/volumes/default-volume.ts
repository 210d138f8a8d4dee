/** Defaults of volumes. A volume that names no source is an emptyDir. */

import { mapField, mapItems, withAbsent, withZero } from '../../../field-defaults.ts'
import type { ProjectedVolumeSource, Volume } from '../../types.gen.ts'
import { imageTag } from '../image-reference.ts'

/** 0644: what files of configuration get unless told otherwise. */
const FILE_MODE = 0o644

export function defaultVolume(volume: Volume): Volume {
  if (Object.keys(volume).every((field) => field === 'name')) return { ...volume, emptyDir: {} }
  return steps.reduce((filled, step) => step(filled), volume)
}

const steps: readonly ((volume: Volume) => Volume)[] = [
  (volume) => mapField(volume, 'secret', (source) => withAbsent(source, { defaultMode: FILE_MODE })),
  (volume) => mapField(volume, 'configMap', (source) => withAbsent(source, { defaultMode: FILE_MODE })),
  (volume) => mapField(volume, 'hostPath', (source) => withAbsent(source, { type: '' })),
  (volume) =>
    mapField(volume, 'downwardAPI', (source) =>
      mapField(withAbsent(source, { defaultMode: FILE_MODE }), 'items', (items) =>
        mapItems(items, (item) => mapField(item, 'fieldRef', (field) => withZero(field, { apiVersion: 'v1' }))),
      ),
    ),
  (volume) => mapField(volume, 'projected', defaultProjected),
  (volume) =>
    mapField(volume, 'ephemeral', (source) =>
      mapField(source, 'volumeClaimTemplate', (template) =>
        mapField(template, 'spec', (spec) => withAbsent(spec, { volumeMode: 'Filesystem' })),
      ),
    ),
  (volume) =>
    mapField(volume, 'image', (source) =>
      withZero(source, { pullPolicy: imageTag(source.reference ?? '') === 'latest' ? 'Always' : 'IfNotPresent' }),
    ),
  (volume) => mapField(volume, 'iscsi', (source) => withZero(source, { iscsiInterface: 'default' })),
  (volume) =>
    mapField(volume, 'rbd', (source) => withZero(source, { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' })),
  (volume) =>
    mapField(volume, 'azureDisk', (source) =>
      withAbsent(source, { cachingMode: 'ReadWrite', fsType: 'ext4', kind: 'Shared', readOnly: false }),
    ),
  (volume) =>
    mapField(volume, 'scaleIO', (source) => withZero(source, { fsType: 'xfs', storageMode: 'ThinProvisioned' })),
]

function defaultProjected(source: ProjectedVolumeSource): ProjectedVolumeSource {
  return mapField(withAbsent(source, { defaultMode: FILE_MODE }), 'sources', (sources) =>
    mapItems(sources, (projection) => {
      const token = mapField(projection, 'serviceAccountToken', (value) =>
        withAbsent(value, { expirationSeconds: 3600 }),
      )
      return mapField(token, 'downwardAPI', (value) =>
        mapField(value, 'items', (items) =>
          mapItems(items, (item) => mapField(item, 'fieldRef', (field) => withZero(field, { apiVersion: 'v1' }))),
        ),
      )
    }),
  )
}
