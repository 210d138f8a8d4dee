/**
 * What flags and environment say becomes one validated, frozen `ClusterConfig`. Every field is documented here, with
 * its default in `DEFAULTS`.
 */

import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { deepFreeze } from '../base/deep-freeze.ts'
import { addressAt, cidrSize, cidrsOverlap, parseCidr } from '../base/ip.ts'
import type { LogLevel } from '../base/log.ts'
import { isDns1123Label } from '../machinery/meta/names.ts'
import { ConfigError } from './config-error.ts'
import type { SecuritySettings } from './security/settings.ts'

export type NodeRuntime = 'docker' | 'simulated'

export interface ClusterConfig {
  readonly name: string
  /** Everything the cluster keeps on this machine; private to the user. */
  readonly directory: string
  /** `memory` writes no objects to disk. */
  readonly storage: 'level' | 'memory'
  /** How long overwritten and deleted values stay readable, in ms. */
  readonly historyMs: number
  /** 0: any free port. */
  readonly port: number
  readonly host: string
  /** Offer HTTP/2 by ALPN. */
  readonly http2: boolean
  readonly podCidr: string
  readonly serviceCidr: string
  /** The cluster's bridge network; absent: a free one is chosen. */
  readonly nodeCidr: string | undefined
  /** Prefix length of one node's part of the pod range. */
  readonly nodePrefixLength: number
  readonly domain: string
  readonly nodePorts: { readonly first: number; readonly last: number }
  /** Nodes that the cluster starts with, of the kind `runtime`. Later ones are in the node list. */
  readonly nodes: number
  readonly runtime: NodeRuntime
  /** Simulated nodes that the cluster starts with besides. */
  readonly simulatedNodes: number
  /** Pods one node takes. */
  readonly podsMax: number
  readonly dockerSocket: string
  readonly logLevel: LogLevel
  readonly security: SecuritySettings
}

type Settings = Omit<ClusterConfig, 'directory'>

/** Absent and undefined both mean the default. */
export type ConfigInput = { readonly [Name in keyof Settings]?: Settings[Name] | undefined } & Places

export interface Places {
  /** `$T8S_HOME`. */
  readonly home?: string | undefined
  /** `$XDG_DATA_HOME`. */
  readonly dataHome?: string | undefined
}

export const DEFAULT_NAME = 't8s'

export const DEFAULTS = {
  name: DEFAULT_NAME,
  storage: 'level',
  historyMs: 5 * 60_000,
  port: 6443,
  host: '127.0.0.1',
  http2: false,
  podCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/16',
  nodeCidr: undefined,
  nodePrefixLength: 24,
  domain: 'cluster.local',
  nodePorts: { first: 30_000, last: 32_767 },
  nodes: 1,
  runtime: 'docker',
  simulatedNodes: 0,
  podsMax: 110,
  dockerSocket: '/var/run/docker.sock',
  logLevel: 'info',
  security: {},
} as const satisfies Omit<ClusterConfig, 'directory'>

export function resolveConfig(input: ConfigInput): ClusterConfig {
  const { home, dataHome, ...given } = input
  const chosen = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const name = given.name ?? DEFAULT_NAME
  const config: ClusterConfig = { ...DEFAULTS, ...chosen, name, directory: clusterDirectory(name, { home, dataHome }) }
  const problems = problemsOf(config)
  if (problems.length > 0) throw new ConfigError(problems.join('\n'))
  return deepFreeze(config)
}

/** Where clusters live: `$T8S_HOME`, or `t8s` in the XDG data folder. */
export function homeDirectory({ home, dataHome }: Places): string {
  return resolve(home || join(dataHome || join(homedir(), '.local', 'share'), 't8s'))
}

export function clusterDirectory(name: string, places: Places): string {
  return join(homeDirectory(places), name)
}

/** The name of the kubeconfig's entries. */
export function contextName(name: string): string {
  return name === DEFAULT_NAME ? DEFAULT_NAME : `t8s-${name}`
}

export function nodeNameOf({ name }: Pick<ClusterConfig, 'name'>, index: number): string {
  return `${contextName(name)}-node-${index}`
}

/** The address at which pods ask for names: upstream's tenth of the service range. */
export function dnsAddress({ serviceCidr }: Pick<ClusterConfig, 'serviceCidr'>): string {
  return addressIn(serviceCidr, 10)
}

/** The address of the Service `default/kubernetes`. */
export function apiServiceAddress({ serviceCidr }: Pick<ClusterConfig, 'serviceCidr'>): string {
  return addressIn(serviceCidr, 1)
}

function addressIn(text: string, offset: number): string {
  const cidr = parseCidr(text)
  if (!cidr) throw new ConfigError(`${text} is not an address range`)
  return addressAt(cidr, offset)
}

const PORT_MAX = 65_535
/** Addresses that the service range must have at least: the API's, the DNS server's and a few more. */
const SERVICE_ADDRESSES_MIN = 16n

function problemsOf(config: ClusterConfig): readonly string[] {
  const problems: string[] = []
  for (const problem of isDns1123Label(config.name)) problems.push(`name: "${config.name}": ${problem}`)
  if (!isPort(config.port)) problems.push(`port: ${config.port} is not a port`)
  const { first, last } = config.nodePorts
  if (!isPort(first) || !isPort(last) || first > last)
    problems.push(`nodePorts: ${first}-${last} is not a range of ports`)
  for (const field of ['podCidr', 'serviceCidr', 'nodeCidr'] as const) {
    const text = config[field]
    if (text !== undefined && parseCidr(text)?.family !== 4)
      problems.push(`${field}: "${text}" is not an IPv4 range such as 10.0.0.0/16`)
  }
  const pods = parseCidr(config.podCidr)
  const services = parseCidr(config.serviceCidr)
  if (services && cidrSize(services) < SERVICE_ADDRESSES_MIN)
    problems.push(`serviceCidr: ${config.serviceCidr} is too small: it needs ${SERVICE_ADDRESSES_MIN} addresses`)
  if (pods && services && cidrsOverlap(pods, services))
    problems.push(`podCidr ${config.podCidr} and serviceCidr ${config.serviceCidr} overlap: choose them apart`)
  if (pods && config.nodePrefixLength <= pods.prefixLength)
    problems.push(
      `nodePrefixLength: /${config.nodePrefixLength} does not fit into podCidr ${config.podCidr}: choose a longer one`,
    )
  for (const field of ['nodes', 'simulatedNodes'] as const)
    if (!Number.isInteger(config[field]) || config[field] < 0)
      problems.push(`${field}: ${config[field]} is not a number of nodes`)
  return problems
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= PORT_MAX
}
