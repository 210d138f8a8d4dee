/** Files from a ConfigMap's data and binaryData: pure. */

import type { ConfigMap, KeyToPath } from '../../apis/core/types.gen.ts'
import type { VolumeFile, VolumeFiles } from './atomic-writer.ts'
import { VolumeError } from './volume.ts'

export const DEFAULT_MODE = 0o644

export interface KeySelection {
  readonly items?: readonly KeyToPath[] | undefined
  readonly defaultMode?: number | undefined
  readonly optional?: boolean | undefined
}

export function configMapFiles(configMap: ConfigMap, selection: KeySelection): VolumeFiles {
  const contents = new Map<string, Uint8Array>()
  for (const [key, text] of Object.entries(configMap.data ?? {})) contents.set(key, Buffer.from(text))
  for (const [key, base64] of Object.entries(configMap.binaryData ?? {}))
    contents.set(key, Buffer.from(base64, 'base64'))
  return selectKeys(contents, selection)
}

/** All keys under their own names, or the listed ones at their paths. A listed key that is missing is an error. */
export function selectKeys(
  contents: ReadonlyMap<string, Uint8Array>,
  { items, defaultMode = DEFAULT_MODE, optional }: KeySelection,
): VolumeFiles {
  if (!items?.length) return new Map([...contents].map(([key, data]) => [key, { data, mode: defaultMode }]))
  const files = new Map<string, VolumeFile>()
  for (const { key, path, mode } of items) {
    const data = contents.get(key)
    if (data) files.set(path, { data, mode: mode ?? defaultMode })
    else if (!optional) throw new VolumeError(`references non-existent config key: ${key}`)
  }
  return files
}
