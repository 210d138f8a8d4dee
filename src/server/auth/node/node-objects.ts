/**
 * What relates objects to nodes, read from the server's memory when a node asks: the pods that are bound to it, and
 * what they name. There is no graph to keep up; a node has a hundred pods or so.
 */

import {
  persistentVolumeSecrets,
  podConfigMaps,
  podResourceClaims,
  podSecrets,
  podVolumeClaims,
} from '../../../apis/core/pod-references.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../../apis/core/types.gen.ts'
import type { ObjectKey } from '../../../machinery/meta/object.ts'

export interface NodeObjects {
  /** Whether memory has everything that was written. */
  readonly isFresh: boolean
  whenFresh(): Promise<void>
  /** Those bound to the node, one after the other: each has to be read. */
  podsOn(node: string, within: PodsWithin): Iterable<Pod>
  nodeOfPod(key: ObjectKey): string | undefined
  claim(key: ObjectKey): PersistentVolumeClaim | undefined
  volume(name: string): PersistentVolume | undefined
  /** The node that a VolumeAttachment or a ResourceSlice names. */
  nodeOfAttachment(name: string): string | undefined
  nodeOfResourceSlice(name: string): string | undefined
}

/** What is absent limits nothing. */
export interface PodsWithin {
  readonly namespace?: string | undefined
  readonly serviceAccount?: string | undefined
}

export type RelatedKind =
  | 'configmaps'
  | 'persistentvolumeclaims'
  | 'persistentvolumes'
  | 'pods'
  | 'resourceclaims'
  | 'resourceslices'
  | 'secrets'
  | 'serviceaccounts'
  | 'volumeattachments'

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror'

/** Whether the node needs the object for what it runs. */
export function isRelated(objects: NodeObjects, node: string, kind: RelatedKind, key: ObjectKey): boolean {
  const { namespace, name } = key
  const anyPod = (wants: (pod: Pod) => boolean) => someGrants(objects, node, { namespace }, wants)
  switch (kind) {
    case 'pods':
      return objects.nodeOfPod(key) === node
    case 'serviceaccounts':
      return someGrants(objects, node, { namespace, serviceAccount: name }, () => true)
    case 'configmaps':
      return anyPod((pod) => podConfigMaps(pod).has(name))
    case 'secrets':
      return anyPod((pod) => podSecrets(pod).has(name)) || isVolumeSecret(objects, node, `${namespace}/${name}`)
    case 'persistentvolumeclaims':
      return anyPod((pod) => podVolumeClaims(pod).has(name))
    case 'resourceclaims':
      return anyPod((pod) => podResourceClaims(pod).has(name))
    case 'persistentvolumes':
      return isMounted(objects, node, objects.volume(name))
    case 'volumeattachments':
      return objects.nodeOfAttachment(name) === node
    case 'resourceslices':
      return objects.nodeOfResourceSlice(name) === node
  }
}

/** A node makes mirror pods itself: they give it nothing. */
function someGrants(objects: NodeObjects, node: string, within: PodsWithin, wants: (pod: Pod) => boolean): boolean {
  for (const pod of objects.podsOn(node, within))
    if (!Object.hasOwn(pod.metadata.annotations ?? {}, MIRROR_ANNOTATION) && wants(pod)) return true
  return false
}

function isMounted(objects: NodeObjects, node: string, volume: PersistentVolume | undefined): boolean {
  const { namespace, name } = volume?.spec?.claimRef ?? {}
  if (!namespace || !name) return false
  return someGrants(objects, node, { namespace }, (pod) => podVolumeClaims(pod).has(name))
}

function isVolumeSecret(objects: NodeObjects, node: string, secret: string): boolean {
  return someGrants(objects, node, {}, (pod) =>
    [...podVolumeClaims(pod)].some((name) => {
      const volumeName = objects.claim({ namespace: pod.metadata.namespace, name })?.spec?.volumeName
      const volume = volumeName === undefined ? undefined : objects.volume(volumeName)
      return volume !== undefined && isClaimedBy(volume, pod, name) && persistentVolumeSecrets(volume).has(secret)
    }),
  )
}

function isClaimedBy({ spec }: PersistentVolume, { metadata }: Pod, claim: string): boolean {
  return spec?.claimRef?.namespace === metadata.namespace && spec?.claimRef?.name === claim
}
