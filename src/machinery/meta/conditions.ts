/** Lists of conditions by type. A condition's transition time moves only when its status does. */

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string | undefined
  readonly message?: string | undefined
  readonly lastTransitionTime?: string | null | undefined
  readonly observedGeneration?: number | undefined
}

export function findCondition<T extends Condition>(conditions: readonly T[] | undefined, type: string): T | undefined {
  return conditions?.find((condition) => condition.type === type)
}

export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True'
}

/**
 * The list with `next` in the place of the condition of its type, or at the end. Keeps the time of the last
 * transition when the status stays; otherwise it is `next`'s own or `nowText`. The same list when nothing changes.
 */
export function setCondition<T extends Condition>(
  conditions: readonly T[] | undefined,
  next: T,
  nowText: string,
): readonly T[] {
  const list = conditions ?? []
  const index = list.findIndex(({ type }) => type === next.type)
  const previous = list[index]
  if (previous === undefined) return [...list, { ...next, lastTransitionTime: next.lastTransitionTime ?? nowText }]
  const lastTransitionTime =
    previous.status === next.status ? previous.lastTransitionTime : (next.lastTransitionTime ?? nowText)
  const updated: T = { ...previous, ...next, lastTransitionTime }
  return isSame(previous, updated) ? list : list.with(index, updated)
}

/** The list without that type; the same list when it has none. */
export function removeCondition<T extends Condition>(conditions: readonly T[] | undefined, type: string): readonly T[] {
  const list = conditions ?? []
  const rest = list.filter((condition) => condition.type !== type)
  return rest.length === list.length ? list : rest
}

function isSame(left: object, right: object): boolean {
  const rightValues = new Map(Object.entries(right))
  const leftEntries = Object.entries(left)
  return (
    leftEntries.every(([key, value]) => rightValues.get(key) === value) &&
    [...rightValues].every(([key, value]) => value === undefined || Object.hasOwn(left, key))
  )
}
