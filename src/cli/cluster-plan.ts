/**
 * Which configuration `up` starts a cluster with: the stored one of a cluster that exists, else a new one from the
 * flags, with a free port and free ranges where none were asked for.
 */

import { type ClusterConfig, DEFAULTS, type NodeRuntime, resolveConfig } from '../cluster/config.ts'
import { freeRanges, type Ranges, routedRanges, takenRange } from '../cluster/free-ranges.ts'
import type { SecuritySettings } from '../cluster/security/settings.ts'
import type { CommandContext } from './context.ts'
import { askDocker, dockerObstacle } from './docker-probe.ts'
import { Failure } from './failure.ts'
import { freePort, portHolder } from './ports.ts'
import { allStates, type ClusterState, isAlive } from './state.ts'
import { placesOf } from './variables.ts'

export interface ClusterFlags {
  readonly nodes?: number | undefined
  /** `true`: the nodes are simulated; a number: so many simulated ones. */
  readonly simulated?: number | true | undefined
  readonly runtime?: 'auto' | NodeRuntime | undefined
  readonly data?: 'memory' | 'disk' | undefined
  readonly port?: number | undefined
  readonly podCidr?: string | undefined
  readonly serviceCidr?: string | undefined
  readonly nodeCidr?: string | undefined
  readonly domain?: string | undefined
  /** From a Cluster document only, as is `security`. */
  readonly http2?: boolean | undefined
  readonly security?: SecuritySettings | undefined
}

/** What a cluster keeps for life, and the flag that sets it. */
const FIXED = [
  ['podCidr', '--pod-cidr'],
  ['serviceCidr', '--service-cidr'],
  ['nodeCidr', '--node-cidr'],
  ['domain', '--domain'],
  ['storage', '--data'],
] as const

export async function planCluster(
  context: CommandContext,
  name: string,
  flags: ClusterFlags,
  existing: ClusterState | undefined,
): Promise<ClusterConfig> {
  const config = existing ? kept(context, existing.config, flags) : await fresh(context, name, flags)
  if (config.runtime === 'docker') await checkRanges(config)
  return { ...config, port: await portFor(context, config, existing?.config.port) }
}

/** Simulated pods have addresses that nobody else sees; those of Docker nodes are routed on this machine. */
async function checkRanges(config: ClusterConfig): Promise<void> {
  const taken = await takenRange(config.name, config)
  if (taken === undefined) return
  throw new Failure({
    reason: 'RangeInUse',
    message: `Another cluster on this machine has the addresses ${taken}.`,
    detail: `"${config.name}" wants ${config.podCidr} for pods and ${config.serviceCidr} for services.`,
    next: [
      ['t8s get clusters', 'which one?'],
      ['t8s up NAME --pod-cidr=RANGE --service-cidr=RANGE', 'choose others for a new cluster'],
    ],
  })
}

/** The stored configuration; only its port, HTTP/2 and its security can be changed. */
function kept(context: CommandContext, config: ClusterConfig, flags: ClusterFlags): ClusterConfig {
  const wanted = { ...flags, storage: storageOf(flags) }
  for (const [field, flag] of FIXED) {
    const value = wanted[field]
    if (value === undefined || value === config[field]) continue
    throw new Failure({
      reason: 'ConfigInvalid',
      message: `Cluster "${config.name}" exists with ${flag}=${flagValue(config, field)}; that cannot be changed.`,
      next: [
        [`t8s up ${config.name}`, 'start it as it is'],
        [`t8s down ${config.name}`, 'delete it, to make it anew'],
      ],
    })
  }
  if (flags.nodes !== undefined && flags.nodes !== config.nodes)
    context.terminal.warn('NodesKept', `the cluster keeps its nodes; more: t8s create node NAME --name=${config.name}`)
  const { port = config.port, http2 = config.http2, security = config.security ?? {} } = flags
  return { ...config, port, http2, security }
}

function flagValue(config: ClusterConfig, field: (typeof FIXED)[number][0]): string {
  if (field === 'storage') return config.storage === 'memory' ? 'memory' : 'disk'
  return config[field] ?? ''
}

function storageOf({ data }: ClusterFlags): ClusterConfig['storage'] | undefined {
  if (data === undefined) return undefined
  return data === 'memory' ? 'memory' : 'level'
}

async function fresh(context: CommandContext, name: string, flags: ClusterFlags): Promise<ClusterConfig> {
  const { variables } = context
  const dockerSocket = variables.dockerSocket ?? DEFAULTS.dockerSocket
  const counts = nodeCounts(flags)
  const runtime = counts.nodes === 0 ? 'simulated' : await runtimeFor(context, flags, dockerSocket)
  return resolveConfig({
    ...placesOf(variables),
    name,
    ...counts,
    runtime,
    dockerSocket,
    port: flags.port,
    storage: storageOf(flags),
    nodeCidr: flags.nodeCidr,
    domain: flags.domain,
    http2: flags.http2,
    security: flags.security,
    ...(await rangesFor(context, flags)),
  })
}

/** `--simulated=N` alone asks for nothing but these. */
export function nodeCounts({ nodes, simulated }: ClusterFlags): { nodes: number; simulatedNodes: number } {
  const simulatedNodes = typeof simulated === 'number' ? simulated : 0
  return { nodes: nodes ?? (typeof simulated === 'number' ? 0 : DEFAULTS.nodes), simulatedNodes }
}

/** `auto`: on Docker where that is possible, else simulated, and it is said why. */
async function runtimeFor(context: CommandContext, flags: ClusterFlags, dockerSocket: string): Promise<NodeRuntime> {
  if (flags.simulated === true || flags.runtime === 'simulated') return 'simulated'
  const obstacle = await dockerObstacle(dockerSocket)
  if (!obstacle) return 'docker'
  if (flags.runtime === 'docker') throw obstacle
  context.terminal.warn(obstacle.text.reason, `nodes are simulated: ${obstacle.message}`)
  return 'simulated'
}

async function rangesFor(context: CommandContext, flags: ClusterFlags): Promise<Ranges> {
  const given = {
    ...(flags.podCidr !== undefined && { podCidr: flags.podCidr }),
    ...(flags.serviceCidr !== undefined && { serviceCidr: flags.serviceCidr }),
  }
  const states = await allStates(context)
  const taken = [
    ...states.flatMap(({ config }) => [config.podCidr, config.serviceCidr]),
    ...(await routedRanges()),
    ...(flags.nodeCidr === undefined ? [] : [flags.nodeCidr]),
  ]
  const ranges = freeRanges(given, taken)
  const usual = { podCidr: given.podCidr ?? DEFAULTS.podCidr, serviceCidr: given.serviceCidr ?? DEFAULTS.serviceCidr }
  if (ranges.podCidr !== usual.podCidr || ranges.serviceCidr !== usual.serviceCidr)
    context.terminal.say(
      `t8s: another cluster has the usual ranges; this one gets pods ${ranges.podCidr}, services ${ranges.serviceCidr}`,
    )
  return ranges
}

/** Where any port will do, the `former` one is the best: kubeconfigs name it. */
async function portFor(
  context: CommandContext,
  { host, port, name }: ClusterConfig,
  former: number | undefined,
): Promise<number> {
  const kept = port === 0 && former !== undefined ? await freePort(host, former) : undefined
  const free = kept ?? (await freePort(host, port))
  if (free !== undefined) return free
  const holder = portHolder(port)
  const state = (await allStates(context)).find(
    ({ run }) => run !== undefined && isAlive(run) && run.pid === holder?.pid,
  )
  const who = state
    ? `cluster "${state.config.name}"`
    : holder
      ? `${holder.name} (pid ${holder.pid})`
      : 'another program'
  const up = name === 't8s' ? 't8s up' : `t8s up ${name}`
  throw new Failure({
    reason: 'PortInUse',
    message: `Port ${port} is in use by ${who}.`,
    detail: 't8s needs one free port for the API server.',
    next: [
      [`${up} --port=0`, 'use any free port'],
      ['t8s get clusters', 'is another t8s running?'],
    ],
  })
}

/** `docker 28.3` or `simulated`, for people. */
export async function runtimeText({ runtime, nodes, dockerSocket }: ClusterConfig): Promise<string> {
  if (runtime === 'simulated' || nodes === 0) return 'simulated'
  const answer = await askDocker(dockerSocket)
  return 'version' in answer ? `docker ${answer.version}` : 'docker'
}
