/**
 * What the processes of a container have used, as the kernel counts it. The engine would be asked in vain: it wants to
 * add the traffic of a network, and does not know the networks of pods.
 */

import { readFile } from 'node:fs/promises'
import type { ContainerUsage } from './runtime.ts'

/** Where the file systems of control groups are mounted, on every distribution. */
const ROOT = '/sys/fs/cgroup'

/** Of the container whose first process has this id on the machine. Undefined: it has ended. */
export async function cgroupUsage(pid: number): Promise<ContainerUsage | undefined> {
  try {
    const groups = controlGroups(await readFile(`/proc/${pid}/cgroup`, 'utf8'))
    return await (groups.has('memory') ? usageOfControllers(groups) : usageOfGroup(`${ROOT}${groups.get('')}`))
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

/** Pure: a process's groups by controller; that of version 2 by the empty name. */
export function controlGroups(text: string): ReadonlyMap<string, string> {
  const groups = new Map<string, string>()
  for (const line of text.trim().split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    for (const controller of controllers.split(',')) groups.set(controller, path)
  }
  return groups
}

/** Version 2: one group for everything. */
async function usageOfGroup(path: string): Promise<ContainerUsage> {
  const [cpu, used, memory] = await Promise.all([
    counters(`${path}/cpu.stat`),
    number(`${path}/memory.current`),
    counters(`${path}/memory.stat`),
  ])
  return usage((cpu.get('usage_usec') ?? 0) * 1000, used, memory.get('inactive_file'))
}

/** Version 1: a group for each controller. */
async function usageOfControllers(groups: ReadonlyMap<string, string>): Promise<ContainerUsage> {
  const path = (controller: string) => `${ROOT}/${controller}${groups.get(controller)}`
  const [cpu, used, memory] = await Promise.all([
    number(`${path('cpuacct')}/cpuacct.usage`),
    number(`${path('memory')}/memory.usage_in_bytes`),
    counters(`${path('memory')}/memory.stat`),
  ])
  return usage(cpu, used, memory.get('total_inactive_file'))
}

/** Working set: what is used without the file pages that could be dropped. */
function usage(cpuNanoseconds: number, used: number, inactive: number | undefined): ContainerUsage {
  return { cpuNanoseconds, memoryWorkingSetBytes: Math.max(0, used - (inactive ?? 0)) }
}

async function number(file: string): Promise<number> {
  return Number(await readFile(file, 'utf8'))
}

/** Lines of a name and a number. */
async function counters(file: string): Promise<ReadonlyMap<string, number>> {
  const lines = (await readFile(file, 'utf8')).trim().split('\n')
  return new Map(
    lines.map((line) => {
      const [name = '', value] = line.split(' ')
      return [name, Number(value)]
    }),
  )
}

/** `ESRCH` and `ENODEV`: it went while it was read. */
function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH', 'ENODEV'].includes(String(error.code))
}
