/** A claim's volume on this machine: where a bound PersistentVolume of a local kind lies. */

import type { PersistentVolume, PersistentVolumeClaim } from '../../apis/core/types.gen.ts'
import { prepareHostPath } from './host-path.ts'
import { VolumeError } from './volume.ts'

export interface ClaimSources {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined
  persistentVolume(name: string): PersistentVolume | undefined
}

export async function prepareClaim(namespace: string, name: string, sources: ClaimSources): Promise<string> {
  const { hostPath, local, volumeName } = boundVolume(namespace, name, sources)
  if (hostPath) return prepareHostPath(hostPath)
  if (local) return prepareHostPath({ path: local.path, type: 'Directory' })
  throw new VolumeError(`the source of volume "${volumeName}" is not supported by this node`)
}

/** The spec of the volume that the claim is bound to. Throws `VolumeError` while there is none. */
export function boundVolume(
  namespace: string,
  name: string,
  { claim, persistentVolume }: ClaimSources,
): NonNullable<PersistentVolume['spec']> & { readonly volumeName: string } {
  const found = claim(namespace, name)
  if (!found) throw new VolumeError(`persistentvolumeclaim "${name}" not found`)
  const volumeName = found.spec?.volumeName
  if (!volumeName || found.status?.phase !== 'Bound') throw new VolumeError(`PVC ${namespace}/${name} is not bound`)
  const spec = persistentVolume(volumeName)?.spec
  if (!spec) throw new VolumeError(`persistentvolume "${volumeName}" not found`)
  return { ...spec, volumeName }
}
