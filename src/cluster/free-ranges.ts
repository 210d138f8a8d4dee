/**
 * Ranges of addresses for a new cluster: the usual ones, or the next ones when another cluster on this machine has
 * those. Two clusters whose ranges overlap could not both be reached from the host.
 */

import { readFile } from 'node:fs/promises'
import { clusterRoutes, conflictingRoutes, overlap, type Route } from '../network/pods/routes.ts'
import { DEFAULTS } from './config.ts'
import { ConfigError } from './config-error.ts'

export interface Ranges {
  readonly podCidr: string
  readonly serviceCidr: string
}

/** `10.244.0.0/16` … `10.255.0.0/16`, then down from `10.243.0.0/16`: 128 clusters on one machine. */
const POD_SECOND_BYTES = [...numbers(244, 255), ...numbers(128, 243).toReversed()]
/** `10.96.0.0/16` … `10.127.0.0/16`, then down from `10.95.0.0/16`. */
const SERVICE_SECOND_BYTES = [...numbers(96, 127), ...numbers(16, 95).toReversed()]

/** The ranges that are given stay; the others are the first free ones. */
export function freeRanges(given: Partial<Ranges>, taken: readonly string[]): Ranges {
  const podCidr = given.podCidr ?? firstFree(POD_SECOND_BYTES, DEFAULTS.podCidr, [...taken, given.serviceCidr ?? ''])
  const serviceCidr = given.serviceCidr ?? firstFree(SERVICE_SECOND_BYTES, DEFAULTS.serviceCidr, [...taken, podCidr])
  return { podCidr, serviceCidr }
}

function firstFree(secondBytes: readonly number[], usual: string, taken: readonly string[]): string {
  const candidates = [usual, ...secondBytes.map((byte) => `10.${byte}.0.0/16`)]
  const found = candidates.find((candidate) => !taken.some((other) => overlap(candidate, other)))
  if (found === undefined) throw new ConfigError('no range of addresses is free: choose --pod-cidr and --service-cidr')
  return found
}

function numbers(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

/** The ranges to which clusters on this machine have routes. */
export async function routedRanges(): Promise<readonly string[]> {
  return (await routesHere()).map(({ destination }) => destination)
}

/** A range that another cluster has, of those that this one wants; undefined: none. */
export async function takenRange(name: string, { podCidr, serviceCidr }: Ranges): Promise<string | undefined> {
  const ranges = { clusterName: name, clusterPodCidr: podCidr, serviceCidr }
  return conflictingRoutes(ranges, await routesHere())[0]?.destination
}

/** None where there is no Linux: then no Docker node is here. */
async function routesHere(): Promise<readonly Route[]> {
  return clusterRoutes(await readFile('/proc/net/route', 'latin1').catch(() => ''))
}
