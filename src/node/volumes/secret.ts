/** Files from a Secret's data: pure. */

import type { Secret } from '../../apis/core/types.gen.ts'
import type { VolumeFiles } from './atomic-writer.ts'
import { type KeySelection, selectKeys } from './config-map.ts'

export function secretFiles(secret: Secret, selection: KeySelection): VolumeFiles {
  const contents = new Map(
    Object.entries(secret.data ?? {}).map(([key, base64]) => [key, Buffer.from(base64, 'base64')]),
  )
  return selectKeys(contents, selection)
}
