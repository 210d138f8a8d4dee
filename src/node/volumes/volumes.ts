/** `PodVolumes` on this machine: one directory per volume, by kind. */

import { mkdir, rm } from 'node:fs/promises'
import { podLimits } from '../../apis/core/pod/pod-resources.ts'
import type { Container, EphemeralContainer, Pod, Volume, VolumeMount } from '../../apis/core/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/error-text.ts'
import { quantityValue } from '../../machinery/meta/quantity.ts'
import type { PodDirectory } from '../pod-directory.ts'
import { type Mount, RuntimeError } from '../runtime/runtime.ts'
import { writeAtomically } from './atomic-writer.ts'
import { prepareEmptyDirectory } from './empty-dir.ts'
import { prepareHostPath } from './host-path.ts'
import { unmountBelow } from './mounts.ts'
import { commonUser, giveToGroup, giveToUser } from './ownership.ts'
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
  const turns = createTurns()
  const setUp = (pod: Pod, volume: Volume) =>
    prepareVolume(parts, turns, pod, volume).catch((error: unknown) => {
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
      await Promise.all((pod.spec?.volumes ?? []).map((volume) => writeFiles(parts, turns, pod, volume)))
    },
    async tearDown(podUid) {
      prepared.delete(podUid)
      const root = directory.path(podUid, 'volumes')
      await unmountBelow(root)
      await rm(root, { recursive: true, force: true })
    },
  }
}

type Turns = (path: string, work: () => Promise<void>) => Promise<void>

/** One writer at a time for a path: a refresh may come while the volume is being set up. */
function createTurns(): Turns {
  const last = new Map<string, Promise<void>>()
  return (path, work) => {
    const turn = (last.get(path) ?? Promise.resolve()).then(work)
    const settled = turn.then(
      () => {},
      () => {},
    )
    last.set(path, settled)
    void settled.then(() => last.get(path) === settled && last.delete(path))
    return turn
  }
}

async function prepareVolume(parts: PodVolumesParts, turns: Turns, pod: Pod, volume: Volume): Promise<void> {
  const { emptyDir } = volume
  if (emptyDir) {
    const path = ownPath(parts, pod, volume)
    const isNew = await prepareEmptyDirectory(path, emptyDir, memoryLimitOf(pod))
    const group = pod.spec?.securityContext?.fsGroup
    if (isNew && group !== undefined) await giveToGroup(path, { group, readOnly: false })
    return
  }
  if ((await elsewhere(parts, pod, volume)) !== undefined || (await writeFiles(parts, turns, pod, volume))) return
  throw new VolumeError('the kind of this volume is not supported by this node')
}

function memoryLimitOf(pod: Pod): number | undefined {
  const limit = podLimits(pod).get('memory')
  return limit && quantityValue(limit)
}

function ownPath({ directory }: PodVolumesParts, { metadata }: Pod, { name }: Volume): string {
  return directory.path(metadata.uid ?? '', 'volumes', name)
}

/** The place of a volume that is not the pod's own; undefined for one that is. */
async function elsewhere({ claims }: PodVolumesParts, pod: Pod, volume: Volume): Promise<string | undefined> {
  const { hostPath, persistentVolumeClaim, ephemeral } = volume
  const namespace = pod.metadata.namespace ?? ''
  if (hostPath) return prepareHostPath(hostPath)
  if (persistentVolumeClaim) return prepareClaim(namespace, persistentVolumeClaim.claimName, claims)
  return ephemeral ? prepareClaim(namespace, `${pod.metadata.name}-${volume.name}`, claims) : undefined
}

/** False: the volume has no files of the API. */
async function writeFiles(parts: PodVolumesParts, turns: Turns, pod: Pod, volume: Volume): Promise<boolean> {
  const contents = await filesOf(volume, pod, parts.files)
  if (!contents) return false
  const path = ownPath(parts, pod, volume)
  const group = pod.spec?.securityContext?.fsGroup
  const user = commonUser(pod)
  await turns(path, async () => {
    await mkdir(path, { recursive: true, mode: 0o755 })
    await writeAtomically(path, contents, stampOf(parts.clock.now()), async (version) => {
      if (group !== undefined) await giveToGroup(version, { group, readOnly: true })
      else if (user !== undefined && volume.projected) await giveToUser(version, user)
    })
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
  const root = (await elsewhere(parts, pod, volume)) ?? ownPath(parts, pod, volume)
  const subPath = mount.subPathExpr ? expand(mount.subPathExpr) : mount.subPath
  return {
    source: subPath ? await resolveSubPath(root, subPath) : root,
    target: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
    readOnly: (mount.readOnly ?? false) || isReadOnly(volume),
    propagation: propagationOf(mount),
  }
}

/** What the API is the source of, no container may write. */
function isReadOnly({ configMap, secret, downwardAPI, projected, persistentVolumeClaim }: Volume): boolean {
  return Boolean(configMap ?? secret ?? downwardAPI ?? projected) || persistentVolumeClaim?.readOnly === true
}

function propagationOf({ mountPropagation }: VolumeMount): Mount['propagation'] {
  if (mountPropagation === 'Bidirectional') return 'bidirectional'
  return mountPropagation === 'HostToContainer' ? 'host-to-container' : 'private'
}
