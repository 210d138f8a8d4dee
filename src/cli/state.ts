/**
 * What a cluster's folder says about it: `cluster.json`, written whole or not at all. It is there from the moment a
 * cluster is made until it is deleted; `run` tells the process that last ran it, which may be gone.
 */

import { readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { nearest } from '../base/nearest.ts'
import { type ClusterConfig, homeDirectory } from '../cluster/config.ts'
import { type CommandContext, directoryOf } from './context.ts'
import { Failure } from './failure.ts'
import { placesOf } from './variables.ts'

export interface ClusterState {
  readonly config: ClusterConfig
  /** Milliseconds since 1970. */
  readonly createdMs: number
  /** Docker nodes have been in it: there may be containers, networks and routes. */
  readonly usesDocker: boolean
  readonly kubeconfig?: KubeconfigPlace | undefined
  readonly run?: Run | undefined
}

export interface KubeconfigPlace {
  readonly path: string
  /** The context that was current before `up`; absent: none was, or `up` left it alone. */
  readonly previousContext?: string | undefined
}

export interface Run {
  readonly pid: number
  /** The process's start in the kernel's ticks: tells it from a later one of the same number. */
  readonly ticks: string
  readonly startedMs: number
  readonly detached: boolean
}

export type Phase = 'Running' | 'Stopped'

function statePath(directory: string): string {
  return join(directory, 'cluster.json')
}

/** Undefined: no cluster has this folder. */
export async function readState(directory: string): Promise<ClusterState | undefined> {
  try {
    return JSON.parse(await readFile(statePath(directory), 'utf8')) as ClusterState
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined
    throw error
  }
}

export async function writeState(state: ClusterState): Promise<void> {
  const path = statePath(state.config.directory)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const fresh = `${path}.${process.pid}.new`
  await writeFile(fresh, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 })
  await rename(fresh, path)
}

export async function changeState(directory: string, change: (state: ClusterState) => ClusterState): Promise<void> {
  const state = await readState(directory)
  if (state) await writeState(change(state))
}

export async function allStates({ variables }: CommandContext): Promise<readonly ClusterState[]> {
  const home = homeDirectory(placesOf(variables))
  const names = await readdir(home).catch(() => [])
  const states = await Promise.all(names.toSorted().map((name) => readState(join(home, name)).catch(() => undefined)))
  return states.filter((state) => state !== undefined)
}

/** The state of a cluster that must exist. */
export async function stateOf(context: CommandContext, name: string): Promise<ClusterState> {
  const state = await readState(directoryOf(context, name))
  if (state) return state
  const names = (await allStates(context)).map(({ config }) => config.name)
  const meant = nearest(name, names)
  const question = meant === undefined ? '' : ` Did you mean "${meant}"?`
  throw new Failure({
    reason: 'NotFound',
    message: `There is no cluster "${name}".${question}`,
    next: [
      [name === 't8s' ? 't8s up' : `t8s up ${name}`, 'make it'],
      ['t8s get clusters', 'what is there?'],
    ],
  })
}

/** The state of a cluster whose process must live. */
export async function runningStateOf(context: CommandContext, name: string): Promise<ClusterState & { run: Run }> {
  const state = await stateOf(context, name)
  if (state.run && isAlive(state.run)) return { ...state, run: state.run }
  throw new Failure({
    reason: 'NotRunning',
    message: `Cluster "${name}" is stopped.`,
    next: [[name === 't8s' ? 't8s start' : `t8s start ${name}`, 'start it again']],
  })
}

export function phaseOf({ run }: ClusterState): Phase {
  return run && isAlive(run) ? 'Running' : 'Stopped'
}

/** A process that lives now. */
export function runOf(pid: number): Pick<Run, 'pid' | 'ticks'> {
  return { pid, ticks: startTicks(pid) }
}

export function isAlive({ pid, ticks }: Pick<Run, 'pid' | 'ticks'>): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  return startTicks(pid) === ticks
}

/** Empty where the system has no /proc; `gone` for a process that has ended and only waits for its parent. */
function startTicks(pid: number): string {
  try {
    // The name, in brackets, may hold anything; what follows it is counted from the state on.
    const [state = '', ...rest] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return state === 'Z' ? 'gone' : (rest[18] ?? '')
  } catch {
    return ''
  }
}
