/** `PodVolumes` on this machine: one directory per volume, by kind. */

import { mkdir, rm } from 'node:fs/promises'
import type { Container, EphemeralContainer, Pod, Volume, VolumeMount } from '../../apis/core/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../execute-error.ts'
import type { PodDirectory } from '../pod-directory.ts'
import { type Mount, RuntimeError } from '../runtime/runtime.ts'
import { writeAtomically } from './atomic-writer.ts'
import { prepareEmptyDirectory, unmountBelow } from './empty-dir.ts'
import { prepareHostPath } from './host-path.ts'
import { giveToGroup } from './ownership.ts'
import { type ClaimSources, prepareClaim } from './persistent-claim.ts'
import { type FileSources, filesOf } from './projected.ts'
import { resolveSubPath } from './sub-path.ts'
import { type PodVolumes, VolumeError } from './volume.ts'

export interface PodVolumesParts {
  readonly directory: PodDirectory
  readonly files: FileSources
  readonly claims: ClaimSources
  readonly clock: Clock
}

export function createPodVolumes(parts: PodVolumesParts): PodVolumes {
  const { directory } = parts
  /** Pods whose volumes were set up; a refresh before that has nothing to do. */
  const prepared = new Set<string>()
  const setUp = (pod: Pod, volume: Volume) =>
    prepareVolume(parts, pod, volume).catch((error: unknown) => {
      throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${messageOf(error)}`)
    })
  return {
    async prepare(pod) {
      await Promise.all((pod.spec?.volumes ?? []).map((volume) => setUp(pod, volume)))
      prepared.add(pod.metadata.uid ?? '')
    },
    async mounts(pod, container, expand) {
      return Promise.all((container.volumeMounts ?? []).map((mount) => mountOf(parts, pod, container, mount, expand)))
    },
    async refresh(pod) {
      if (!prepared.has(pod.metadata.uid ?? '')) return
      await Promise.all((pod.spec?.volumes ?? []).map((volume) => writeFiles(parts, pod, volume)))
    },
    async tearDown(podUid) {
      prepared.delete(podUid)
      const root = directory.path(podUid, 'volumes')
      await unmountBelow(root)
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** Sets one volume up and answers its path on this machine. */
async function prepareVolume(parts: PodVolumesParts, pod: Pod, volume: Volume): Promise<string> {
  const path = parts.directory.path(pod.metadata.uid ?? '', 'volumes', volume.name)
  const { hostPath, persistentVolumeClaim, emptyDir, ephemeral } = volume
  const namespace = pod.metadata.namespace ?? ''
  if (hostPath) return prepareHostPath(hostPath)
  if (persistentVolumeClaim) return prepareClaim(namespace, persistentVolumeClaim.claimName, parts.claims)
  if (ephemeral) return prepareClaim(namespace, `${pod.metadata.name}-${volume.name}`, parts.claims)
  if (emptyDir) {
    await prepareEmptyDirectory(path, emptyDir)
    const group = pod.spec?.securityContext?.fsGroup
    if (group !== undefined) await giveToGroup(path, group, false)
    return path
  }
  if (await writeFiles(parts, pod, volume)) return path
  throw new VolumeError('the kind of this volume is not supported by this node')
}

/** False: the volume has no files of the API. */
async function writeFiles({ directory, files, clock }: PodVolumesParts, pod: Pod, volume: Volume): Promise<boolean> {
  const contents = await filesOf(volume, pod, files)
  if (!contents) return false
  const path = directory.path(pod.metadata.uid ?? '', 'volumes', volume.name)
  await mkdir(path, { recursive: true, mode: 0o755 })
  const group = pod.spec?.securityContext?.fsGroup
  await writeAtomically(path, contents, stampOf(clock.now()), async (version) => {
    if (group !== undefined) await giveToGroup(version, group, true)
  })
  return true
}

/** `2026_11_21_03_04_05`. */
function stampOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replace(/[-:T]/g, '_')
}

async function mountOf(
  parts: PodVolumesParts,
  pod: Pod,
  container: Container | EphemeralContainer,
  mount: VolumeMount,
  expand: (text: string) => string,
): Promise<Mount> {
  const volume = pod.spec?.volumes?.find(({ name }) => name === mount.name)
  if (!volume)
    throw new RuntimeError(
      'CreateContainerConfigError',
      `container ${container.name} mounts an unknown volume "${mount.name}"`,
    )
  const root = await prepareVolume(parts, pod, volume)
  const subPath = mount.subPathExpr ? expand(mount.subPathExpr) : mount.subPath
  return {
    source: subPath ? await resolveSubPath(root, subPath) : root,
    target: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
    readOnly: mount.readOnly ?? false,
    propagation: propagationOf(mount),
  }
}

function propagationOf({ mountPropagation }: VolumeMount): Mount['propagation'] {
  if (mountPropagation === 'Bidirectional') return 'bidirectional'
  return mountPropagation === 'HostToContainer' ? 'host-to-container' : 'private'
}
