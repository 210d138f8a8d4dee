/** `t8s status` and `t8s get clusters|nodes`: what runs, from the folders and from the clusters themselves. */

import { nodes } from '../../apis/core/node.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import type { Node, Pod } from '../../apis/core/types.gen.ts'
import { deadline } from '../../base/deadline.ts'
import { groupBy } from '../../base/group-by.ts'
import { nearest } from '../../base/nearest.ts'
import { contextName } from '../../cluster/config.ts'
import type { ClusterReport } from '../../cluster/control-paths.ts'
import { ageOf, humanDuration } from '../../machinery/meta/time.ts'
import { type CommandContext, clusterName, printValue } from '../context.ts'
import { openControl } from '../control.ts'
import { Failure } from '../failure.ts'
import { ownKubeconfigPath } from '../kubeconfig-path.ts'
import { bytesText, tableText } from '../output/table.ts'
import { allStates, type ClusterState, phaseOf, runningStateOf, stateOf } from '../state.ts'

interface Seen {
  readonly report: ClusterReport
  readonly nodes: readonly Node[]
  readonly pods: readonly Pod[]
}

interface ClusterStatus {
  readonly name: string
  /** `Unresponsive`: its process lives and does not answer. */
  readonly phase: 'Running' | 'Stopped' | 'Unresponsive'
  readonly server: string
  readonly context: string
  readonly directory: string
  readonly kubeconfig: string
  readonly pid?: number | undefined
  readonly version?: string | undefined
  readonly nodes?: { readonly total: number; readonly ready: number } | undefined
  readonly pods?: Readonly<Record<string, number>> | undefined
  readonly memoryBytes?: number | undefined
  readonly uptimeSeconds?: number | undefined
}

/** How long a cluster may take to answer, in ms. */
const ANSWER_MS = 5_000

/** Exit code 1: it is stopped. */
export async function status(context: CommandContext, argument: string | undefined): Promise<number> {
  const state = await stateOf(context, clusterName(context, argument))
  const found = await statusOf(context, state)
  await printValue(context, { apiVersion: 't8s.dev/v1alpha1', kind: 'ClusterStatus', ...found }, () => screen(found))
  return found.phase === 'Running' ? 0 : 1
}

async function statusOf(context: CommandContext, state: ClusterState): Promise<ClusterStatus> {
  const { config, run } = state
  const phase = phaseOf(state)
  const base = {
    name: config.name,
    server: `https://${config.host}:${config.port}`,
    context: contextName(config.name),
    directory: config.directory,
    kubeconfig: ownKubeconfigPath(config.directory),
  }
  if (phase === 'Stopped') return { ...base, phase }
  const seen = await look(context, state).catch(() => undefined)
  if (!seen) return { ...base, phase: 'Unresponsive', pid: run?.pid }
  const byPhase = groupBy(seen.pods, (pod) => pod.status?.phase ?? 'Pending')
  return {
    ...base,
    phase,
    pid: seen.report.pid,
    version: seen.report.kubernetesVersion,
    nodes: { total: seen.nodes.length, ready: seen.nodes.filter(isReady).length },
    pods: Object.fromEntries([...byPhase].map(([name, list]) => [name, list.length])),
    memoryBytes: seen.report.memoryBytes,
    uptimeSeconds: seen.report.uptimeSeconds,
  }
}

async function look({ clock }: CommandContext, { config }: ClusterState): Promise<Seen> {
  using control = await openControl(config)
  using limit = deadline(clock, ANSWER_MS)
  const { signal } = limit
  const [report, nodeList, podList] = await Promise.all([
    control.json('/t8s/status', { signal }),
    control.client.of(nodes).list({ signal }),
    control.client.of(pods).list({ signal }),
  ])
  return { report: report as ClusterReport, nodes: nodeList.items, pods: podList.items }
}

function isReady({ status: found }: Node): boolean {
  return found?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false
}

function screen(found: ClusterStatus): string {
  const up = found.uptimeSeconds === undefined ? '' : `, up ${humanDuration(found.uptimeSeconds * 1_000)}`
  const process = found.pid === undefined ? '' : ` (pid ${found.pid}${up})`
  const rows = [
    ['API server', found.version === undefined ? found.server : `${found.server}   ${found.version}`],
    ['Context', found.context],
    ...(found.nodes ? [['Nodes', `${found.nodes.total} (${found.nodes.ready} Ready)`]] : []),
    ...(found.pods ? [['Pods', podsText(found.pods)]] : []),
    ...(found.memoryBytes === undefined ? [] : [['Memory', bytesText(found.memoryBytes)]]),
    ['Data', found.directory],
  ]
  const table = tableText([], rows).replace(/^/gm, '  ').trimEnd()
  return `Cluster ${found.name} is ${found.phase}${process}.\n\n${table}\n`
}

function podsText(counts: Readonly<Record<string, number>>): string {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const parts = Object.entries(counts).map(([phase, count]) => `${count} ${phase}`)
  return parts.length === 0 ? '0' : `${total} (${parts.join(', ')})`
}

export interface GetOptions {
  readonly headers?: boolean
}

const RESOURCES = ['clusters', 'nodes'] as const

export async function get(
  context: CommandContext,
  resource: string,
  argument: string | undefined,
  { headers = true }: GetOptions,
): Promise<void> {
  if (resource === 'clusters' || resource === 'cluster') return getClusters(context, headers)
  if (resource === 'nodes' || resource === 'node') return getNodes(context, argument, headers)
  const meant = nearest(resource, RESOURCES)
  throw new Failure({
    reason: 'NotFound',
    message: `t8s get knows clusters and nodes, not "${resource}".${meant ? ` Did you mean "${meant}"?` : ''}`,
    next: [[`kubectl get ${resource}`, 'ask the cluster']],
  })
}

async function getClusters(context: CommandContext, headers: boolean): Promise<void> {
  const states = await allStates(context)
  const items = await Promise.all(states.map((state) => statusOf(context, state)))
  if (context.globals.output === 'name') return context.terminal.print(items.map(({ name }) => `${name}\n`).join(''))
  const rows = items.map((item, index) => [
    item.name,
    item.phase,
    item.server,
    String(item.nodes?.total ?? '-'),
    item.pods ? String(Object.values(item.pods).reduce((sum, count) => sum + count, 0)) : '-',
    item.memoryBytes === undefined ? '-' : bytesText(item.memoryBytes),
    humanDuration(context.clock.now() - (states[index]?.createdMs ?? 0)),
  ])
  const titles = ['NAME', 'STATUS', 'SERVER', 'NODES', 'PODS', 'MEMORY', 'AGE']
  await printValue(context, { apiVersion: 't8s.dev/v1alpha1', kind: 'ClusterStatusList', items }, () =>
    rows.length === 0 ? 'No clusters. Make one: t8s up\n' : tableText(headers ? titles : [], rows),
  )
}

async function getNodes(context: CommandContext, argument: string | undefined, headers: boolean): Promise<void> {
  const state = await runningStateOf(context, clusterName(context, argument))
  const { report, nodes: found } = await look(context, state)
  if (context.globals.output === 'name')
    return context.terminal.print(found.map(({ metadata }) => `${metadata.name}\n`).join(''))
  const kinds = new Map(report.nodes.map(({ name, runtime }) => [name, runtime]))
  const rows = found.map((node) => [
    node.metadata.name ?? '',
    isReady(node) ? 'Ready' : 'NotReady',
    kinds.get(node.metadata.name ?? '') ?? '-',
    node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '-',
    node.spec?.podCIDR ?? '-',
    ageOf(node.metadata.creationTimestamp, context.clock.now()),
  ])
  const titles = ['NAME', 'STATUS', 'RUNTIME', 'INTERNAL-IP', 'POD-CIDR', 'AGE']
  await printValue(context, { apiVersion: 'v1', kind: 'NodeList', items: found }, () =>
    rows.length === 0 ? 'No nodes. Make one: t8s create node NAME\n' : tableText(headers ? titles : [], rows),
  )
}
