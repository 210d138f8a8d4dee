/** From the names in a request to the container of the runtime that is meant. */

import type { Pod } from '../../apis/core/types.gen.ts'
import { ApiError, badRequest } from '../../machinery/meta/api-error.ts'
import type { ContainerStatus } from '../runtime/runtime.ts'
import type { KubeletRequest } from './kubelet-request.ts'

export function findPod({ options, parts: [namespace, name] }: KubeletRequest): Pod {
  const pod = options.pods().find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
  if (!pod) throw new ApiError(404, 'NotFound', `pod "${name}" does not exist on this node`)
  return pod
}

/** The instances of the container, the newest first. */
export async function findInstances(request: KubeletRequest): Promise<readonly ContainerStatus[]> {
  const pod = findPod(request)
  const name = request.parts[2] ?? ''
  const all = await request.options.runtime.containers(pod.metadata.uid)
  return all.filter((container) => container.name === name).sort((left, right) => right.attempt - left.attempt)
}

export async function findRunning(request: KubeletRequest): Promise<ContainerStatus> {
  const [newest] = await findInstances(request)
  if (newest?.state !== 'running') throw badRequest(`container not found ("${request.parts[2]}")`)
  return newest
}
