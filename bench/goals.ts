/** What is claimed, row by row: how many times better than the best way to set up the other side. */

import type { FigureName } from './scenario.ts'

export interface Goal {
  readonly row: string
  readonly figure: FigureName
  /** How many times better: more for figures that should be high, less for those that should be low. */
  readonly times: number
  /** Compared with this one, whoever else is better. */
  readonly against?: string | undefined
}

export interface Limit {
  readonly row: string
  readonly figure: FigureName
  /** Whatever the other side does. */
  readonly atMost: number
}

const goals = (
  row: string,
  figures: Readonly<Partial<Record<FigureName, number>>>,
  against?: string,
): readonly Goal[] =>
  Object.entries(figures).map(([figure, times]) => ({ row, figure: figure as FigureName, times, against }))

/** The command that starts a container, as people type it. */
const DOCKER_RUN = 'docker run -d'

export const GOALS: readonly Goal[] = [
  ...goals('A1 start to /readyz', { ms: 10 }),
  ...goals('A2 start to first pod Running', { ms: 10 }),
  ...goals('A3 restart with 100000 objects', { ms: 3 }),
  ...goals('B1 B2 idle, empty', { residentMb: 4, cpuPercent: 4 }),
  ...goals('B1 idle, 100000 objects', { residentMb: 3 }),
  ...goals('C1 create Pod, c=100', { perSecond: 4, cpuMs: 6 }),
  ...goals('C1 create ConfigMap, c=100', { perSecond: 3, cpuMs: 4 }),
  ...goals('C2 get Pod, c=100', { perSecond: 6, cpuMs: 10 }),
  ...goals('C3 merge patch of a label, c=10', { perSecond: 4 }),
  ...goals('C3 strategic patch of the status, c=10', { perSecond: 4 }),
  ...goals('C3 JSON patch, c=10', { perSecond: 4 }),
  ...goals('C3 apply ConfigMap, c=10', { perSecond: 3 }),
  ...goals('C3 apply Pod, c=10', { perSecond: 3 }),
  ...goals('C4 delete ConfigMap, c=10', { perSecond: 3 }),
  ...goals('C4 deletecollection of 1000', { perSecond: 8 }),
  ...goals('C5 patches of 10000 pods', { perSecond: 4 }),
  ...goals('D1 list 10000 pods, full JSON, c=1', { megabytesPerSecond: 5 }),
  ...goals('D1 list 10000 pods, full JSON, c=8', { megabytesPerSecond: 5, peakMb: 4 }),
  ...goals('D1 list 10000 pods, pages of 500, c=1', { megabytesPerSecond: 4 }),
  ...goals('D2 label, none', { cpuMs: 20 }),
  ...goals('E1 1000 watchers, saturated', { cpuUs: 2, perSecond: 1.5, p99: 2 }),
  ...goals('E1 1 watchers, saturated', { p50: 4 }),
  ...goals('F1 Deployment 0 to 1000 Running', { ms: 4 }),
  ...goals('G1 basic, 1000 nodes', { perSecond: 5 }),
  ...goals('G1 basic, 5000 nodes', { perSecond: 5 }),
  ...goals('G1 node affinity, 1000 nodes', { perSecond: 3 }),
  ...goals('G1 pod affinity, 1000 nodes', { perSecond: 3 }),
  ...goals('G1 pod anti-affinity, 1000 nodes', { perSecond: 3 }),
  ...goals('G1 topology spread, 1000 nodes', { perSecond: 3 }),
  ...goals('G1 node affinity, 5000 nodes', { perSecond: 3 }),
  ...goals('G1 pod affinity, 5000 nodes', { perSecond: 3 }),
  ...goals('G1 pod anti-affinity, 5000 nodes', { perSecond: 3 }),
  ...goals('G1 topology spread, 5000 nodes', { perSecond: 3 }),
  ...goals('H1 namespace with 10000 ConfigMaps', { ms: 10 }),
  // At most 0.6 of what the command takes; the whole of it where the pods before have used up what was prepared.
  ...goals('J1 pod to Running', { ms: 1 / 0.6 }, DOCKER_RUN),
  ...goals('J1 pod right after 30 others', { ms: 1 }, DOCKER_RUN),
]

export const LIMITS: readonly Limit[] = [
  { row: 'C5 patches of 10000 pods', figure: 'ms', atMost: 2_000 },
  ...['create', 'get', 'patch', 'delete'].map((name) => ({
    row: `I1 ${name}`,
    figure: 'exponent' as const,
    atMost: 0.1,
  })),
  { row: 'I1 list of all', figure: 'exponent', atMost: 1.05 },
]
