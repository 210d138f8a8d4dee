/** Which objects of the API a pod's volumes are made of: pure. */

import type { Pod } from '../../apis/core/types.gen.ts'

export interface VolumeReferences {
  /** Names in the pod's namespace. */
  readonly configMaps: ReadonlySet<string>
  readonly secrets: ReadonlySet<string>
  /** Some file shows a field of the pod itself. */
  readonly ownFields: boolean
  /** Some file is a token, which is replaced as time passes. */
  readonly tokens: boolean
}

export function volumeReferences({ spec }: Pod): VolumeReferences {
  const configMaps = new Set<string>()
  const secrets = new Set<string>()
  let ownFields = false
  let tokens = false
  const add = (names: Set<string>, name: string | undefined) => void (name && names.add(name))
  for (const { configMap, secret, downwardAPI, projected } of spec?.volumes ?? []) {
    add(configMaps, configMap?.name)
    add(secrets, secret?.secretName)
    ownFields ||= downwardAPI !== undefined
    for (const source of projected?.sources ?? []) {
      add(configMaps, source.configMap?.name)
      add(secrets, source.secret?.name)
      ownFields ||= source.downwardAPI !== undefined
      tokens ||= source.serviceAccountToken !== undefined
    }
  }
  return { configMaps, secrets, ownFields, tokens }
}
