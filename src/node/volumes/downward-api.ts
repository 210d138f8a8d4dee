/** Files from the pod's own fields and its containers' resources: pure. */

import type { DownwardAPIVolumeFile, Pod } from '../../apis/core/types.gen.ts'
import { podField, resourceField } from '../environment.ts'
import type { VolumeFile, VolumeFiles } from './atomic-writer.ts'
import { DEFAULT_MODE } from './config-map.ts'

export interface DownwardFacts {
  readonly allocatable: Readonly<Record<string, string>>
  readonly hostIp: string
}

export function downwardFiles(
  items: readonly DownwardAPIVolumeFile[],
  defaultMode: number | undefined,
  pod: Pod,
  facts: DownwardFacts,
): VolumeFiles {
  const ips = (pod.status?.podIPs ?? []).flatMap(({ ip }) => ip ?? [])
  const files = new Map<string, VolumeFile>()
  for (const { path, mode, fieldRef, resourceFieldRef } of items) {
    const text = fieldRef
      ? (podField(fieldRef.fieldPath, pod, ips, facts.hostIp) ?? '')
      : resourceFieldRef
        ? resourceField(resourceFieldRef, pod, undefined, facts.allocatable)
        : ''
    files.set(path, { data: Buffer.from(text), mode: mode ?? defaultMode ?? DEFAULT_MODE })
  }
  return files
}
