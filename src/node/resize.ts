/**
 * Resources of a running pod that change in place: what the node grants, and what must be done to a running container
 * so that it has what was granted. Pure.
 */

import type { Container, Pod, PodCondition } from '../apis/core/types.gen.ts'
import { deepEqual } from '../base/deep-equal.ts'
import { compareQuantities, quantityOf } from '../machinery/meta/quantity.ts'
import { allocatedOf, NO_RESIZE, type PodContainer, type PodView, podContainers, type Resize } from './pod-view.ts'
import type { ContainerStatus } from './runtime/runtime.ts'

type Resources = NonNullable<Container['resources']>

/** The annotation of an instance: the resources it was created with. */
export const RESOURCES = 'resources'

const RESIZABLE = ['cpu', 'memory'] as const

/** What a pod has that was seen for the first time: the status tells of a pod that an earlier agent ran. */
export function initialResize(pod: Pod): Resize {
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
  const allocated = podContainers(pod).map(({ spec }) => {
    const known = statuses.find(({ name, state }) => name === spec.name && state?.running)?.resources
    return [spec.name, known ?? spec.resources ?? {}] as const
  })
  return { ...NO_RESIZE, allocated: new Map(allocated) }
}

/** Grants what the spec asks for, or keeps what was granted before and says why. */
export function grantResize(pod: Pod, before: Resize, refuse: (pod: Pod) => Resize['refusal']): Resize {
  const wanted = new Map(podContainers(pod).map(({ spec }) => [spec.name, spec.resources ?? {}] as const))
  const changed = [...wanted].some(
    ([name, resources]) => !deepEqual(before.allocated.get(name) ?? resources, resources),
  )
  if (!changed) return { ...before, allocated: wanted, refusal: undefined }
  const grows = [...wanted].some(([name, resources]) => !sameResources(before.allocated.get(name) ?? {}, resources))
  const refusal = grows ? refuse(pod) : undefined
  return refusal ? { ...before, refusal } : { ...before, allocated: wanted, refusal: undefined }
}

/** Equal amounts of what can be resized; other resources never change. */
export function sameResources(left: Resources, right: Resources): boolean {
  return RESIZABLE.every((name) => sameAmount(left, right, name))
}

function sameAmount(left: Resources, right: Resources, name: string): boolean {
  const same = (one: string | undefined, other: string | undefined) =>
    (one === undefined) === (other === undefined) && compareQuantities(quantityOf(one), quantityOf(other)) === 0
  return same(left.requests?.[name], right.requests?.[name]) && same(left.limits?.[name], right.limits?.[name])
}

/** What a running instance has. */
export function appliedTo({ memory }: PodView, running: ContainerStatus): Resources | undefined {
  return memory.resize.applied.get(running.id) ?? parsed(running.annotations[RESOURCES])
}

export type ResizeStep = 'none' | 'update' | 'restart'

/** What it takes to give a running container the resources it was granted. */
export function resizeStep(view: PodView, container: PodContainer, running: ContainerStatus): ResizeStep {
  const wanted = allocatedOf(view, container)
  const applied = appliedTo(view, running)
  if (!applied || container.kind === 'ephemeral' || sameResources(applied, wanted)) return 'none'
  const policies = 'resizePolicy' in container.spec ? (container.spec.resizePolicy ?? []) : []
  const restarts = policies.some(
    ({ resourceName, restartPolicy }) =>
      restartPolicy === 'RestartContainer' && !sameAmount(applied, wanted, resourceName),
  )
  return restarts ? 'restart' : 'update'
}

type ResizeCondition = Pick<PodCondition, 'type' | 'reason' | 'message'> & { readonly status: 'True' }

/** `PodResizePending` while the node does not grant it, `PodResizeInProgress` while it is not yet done. */
export function resizeConditions(view: PodView): readonly ResizeCondition[] {
  const { refusal, error } = view.memory.resize
  const pending = refusal ? [{ type: 'PodResizePending', status: 'True' as const, ...refusal }] : []
  const underWay = podContainers(view.pod).some((container) =>
    view.containers.some(
      (instance) =>
        instance.name === container.spec.name &&
        instance.state === 'running' &&
        resizeStep(view, container, instance) !== 'none',
    ),
  )
  if (!underWay) return pending
  const failure = error === undefined ? {} : { reason: 'Error', message: error }
  return [...pending, { type: 'PodResizeInProgress', status: 'True', ...failure }]
}

/** Annotations are ours, but anyone with access to the engine can write them. */
function parsed(text: string | undefined): Resources | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
