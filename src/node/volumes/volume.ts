/** What a node does for a pod's volumes: contract, and the shape every kind of volume has. */

import type { Container, EphemeralContainer, Pod } from '../../apis/core/types.gen.ts'
import type { Mount } from '../runtime/runtime.ts'

/** A volume cannot be set up now; it is tried again. The message goes into a `FailedMount` event. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError'
}

export interface PodVolumes {
  /** Sets up every volume of the pod; safe to repeat. Throws `VolumeError`. */
  prepare(pod: Pod): Promise<void>
  /**
   * The container's mounts, subPaths resolved (`expand` replaces `$(NAME)` in a subPathExpr). Throws `RuntimeError`
   * CreateContainerConfigError for a path that leaves the volume.
   */
  mounts(
    pod: Pod,
    container: Container | EphemeralContainer,
    expand: (text: string) => string,
  ): Promise<readonly Mount[]>
  /** Brings files made from ConfigMaps, Secrets, tokens and the pod's own fields up to date. */
  refresh(pod: Pod): Promise<void>
  /** Unmounts and removes everything of the pod. Safe to repeat. */
  tearDown(podUid: string): Promise<void>
}
