/** What the containers of a node use, from two readings of their counters. */

/** The part of a kubelet's `/stats/summary` that is used. */
export interface StatsSummary {
  readonly pods?: readonly PodStats[] | undefined
}

interface PodStats {
  readonly podRef: { readonly namespace: string; readonly name: string; readonly uid: string }
  readonly containers?: readonly ContainerStats[] | undefined
}

interface ContainerStats {
  readonly name: string
  readonly startTime: string
  readonly cpu?: { readonly usageCoreNanoSeconds?: number | undefined } | undefined
  readonly memory?: { readonly workingSetBytes?: number | undefined } | undefined
}

export interface Sample {
  readonly atMs: number
  readonly summary: StatsSummary
}

export interface ContainerUsage {
  readonly name: string
  /** Billionths of a CPU, on average between the readings. */
  readonly cpu: bigint
  readonly memoryBytes: number
}

export interface NodeUsage {
  readonly atMs: number
  readonly windowMs: number
  /** By the uid of the pod; pods of which nothing was measured are left out. */
  readonly pods: ReadonlyMap<string, readonly ContainerUsage[]>
}

/** Shorter spans say little about a rate. */
const SPAN_MS_MIN = 1000

export function usageBetween(before: Sample, after: Sample): NodeUsage {
  const earlier = countersOf(before.summary)
  const windowMs = after.atMs - before.atMs
  const pods = new Map<string, readonly ContainerUsage[]>()
  for (const { podRef, containers = [] } of after.summary.pods ?? []) {
    const used = containers.flatMap((container): readonly ContainerUsage[] => {
      const { name, startTime, cpu, memory } = container
      if (cpu?.usageCoreNanoSeconds === undefined || memory?.workingSetBytes === undefined) return []
      const known = earlier.get(counterKey(podRef.uid, container)) ?? 0
      // A container that has started in between has used all of it since.
      const spanMs = known > 0 ? windowMs : Math.min(windowMs, after.atMs - Date.parse(startTime))
      const rate = (cpu.usageCoreNanoSeconds - known) / (Math.max(spanMs, SPAN_MS_MIN) / 1000)
      return [{ name, cpu: BigInt(Math.max(0, Math.round(rate))), memoryBytes: Math.round(memory.workingSetBytes) }]
    })
    if (used.length > 0) pods.set(podRef.uid, used)
  }
  return { atMs: after.atMs, windowMs, pods }
}

/** CPU time by container; one that was restarted is another one. */
function countersOf({ pods = [] }: StatsSummary): ReadonlyMap<string, number> {
  return new Map(
    pods.flatMap(({ podRef, containers = [] }) =>
      containers.map((container) => [counterKey(podRef.uid, container), container.cpu?.usageCoreNanoSeconds ?? 0]),
    ),
  )
}

function counterKey(uid: string, { name, startTime }: ContainerStats): string {
  return `${uid}/${name}/${startTime}`
}
