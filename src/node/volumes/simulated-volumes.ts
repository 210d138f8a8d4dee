/**
 * `PodVolumes` for containers without processes: nothing is written and nothing is mounted, but a pod waits for what its
 * volumes are made of, as it would on a machine.
 */

import type { Pod, Volume } from '../../apis/core/types.gen.ts'
import { messageOf } from '../../base/error-text.ts'
import { boundVolume, type ClaimSources } from './persistent-claim.ts'
import { type FileSources, filesOf } from './projected.ts'
import { type PodVolumes, VolumeError } from './volume.ts'

export interface SimulatedVolumesParts {
  readonly files: Omit<FileSources, 'tokens'>
  readonly claims: ClaimSources
}

/** Nobody reads them. */
const NO_TOKENS: FileSources['tokens'] = { token: async () => '' }

export function createSimulatedVolumes({ files, claims }: SimulatedVolumesParts): PodVolumes {
  const sources = { ...files, tokens: NO_TOKENS }
  const check = async (pod: Pod, volume: Volume): Promise<void> => {
    const { persistentVolumeClaim, ephemeral, name } = volume
    const namespace = pod.metadata.namespace ?? ''
    try {
      if (persistentVolumeClaim) boundVolume(namespace, persistentVolumeClaim.claimName, claims)
      else if (ephemeral) boundVolume(namespace, `${pod.metadata.name}-${name}`, claims)
      else await filesOf(volume, pod, sources)
    } catch (error) {
      throw new VolumeError(`MountVolume.SetUp failed for volume "${name}" : ${messageOf(error)}`)
    }
  }
  return {
    async prepare(pod) {
      for (const volume of pod.spec?.volumes ?? []) await check(pod, volume)
    },
    mounts: async () => [],
    refresh: async () => {},
    tearDown: async () => {},
  }
}
