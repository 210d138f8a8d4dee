/**
 * A cluster as its users start it: the built command in a process of its own, with a home, a kubeconfig and a port
 * that are thrown away afterwards. Linux only: processor time and memory are read from /proc.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { entryOf, type KubeconfigEntry } from '../src/client/kubeconfig.ts'

const COMMAND = join(import.meta.dirname, '..', 'dist', 't8s.js')
const NAME = 'bench'
/** Between two looks while a cluster starts, in ms. */
const LOOK_MS = 4
const START_TIMEOUT_MS = 60_000
/** The clock ticks of /proc, in ms; 100 per second on every Linux that Node runs on. */
const TICK_MS = 10

export interface ClusterProcess extends AsyncDisposable {
  readonly port: number
  /** From spawning the command to 200 from /readyz, in ms. */
  readonly readyMs: number
  /** What the process had used by then, in ms. */
  readonly readyCpuMs: number
  readonly process: ProcessFigures
  /** Who may do everything. Waits until the file is there. */
  credentials(): Promise<KubeconfigEntry>
}

export interface ProcessFigures {
  /** User and system time since the process began, in ms. */
  cpuMs(): number
  /** Resident set, in MB (10⁶ bytes). */
  residentMb(): number
  /** The largest resident set so far, in MB. */
  peakMb(): number
}

export interface ClusterWish {
  readonly runtime: 'simulated' | 'docker'
  readonly nodes: number
  readonly data: 'memory' | 'disk'
}

export async function startCluster({ runtime, nodes, data }: ClusterWish): Promise<ClusterProcess> {
  const home = mkdtempSync(join(tmpdir(), 't8s-bench-'))
  const kubeconfig = join(home, 'kubeconfig')
  const environment = { ...process.env, T8S_HOME: home, KUBECONFIG: kubeconfig }
  const port = await freePort()
  const flags = [`--runtime=${runtime}`, `--nodes=${nodes}`, `--data=${data}`, `--port=${port}`]
  const startedAt = performance.now()
  const child = spawn(process.execPath, [COMMAND, 'up', NAME, ...flags], {
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const output = collect(child)
  const figures = figuresOf(child)
  const end = async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    const down = spawn(process.execPath, [COMMAND, 'down', NAME], { env: environment, stdio: 'ignore' })
    await once(down, 'exit')
    rmSync(home, { recursive: true, force: true })
  }
  try {
    await until(async () => (await readyz(port)) === 200, child, output)
  } catch (error) {
    await end()
    throw error
  }
  return {
    port,
    readyMs: performance.now() - startedAt,
    readyCpuMs: figures.cpuMs(),
    process: figures,
    credentials: async () => {
      await until(async () => credentialsIn(kubeconfig) !== undefined, child, output)
      const entry = credentialsIn(kubeconfig)
      if (!entry) throw new Error(`${kubeconfig} is gone`)
      return entry
    },
    [Symbol.asyncDispose]: end,
  }
}

/** Throws what the command said when it ends before the condition holds. */
async function until(condition: () => Promise<boolean>, child: ChildProcess, output: () => string): Promise<void> {
  const limit = performance.now() + START_TIMEOUT_MS
  while (!(await condition())) {
    if (child.exitCode !== null) throw new Error(`the cluster ended with ${child.exitCode}: ${output()}`)
    if (performance.now() > limit) throw new Error(`no answer after ${START_TIMEOUT_MS} ms: ${output()}`)
    await sleep(LOOK_MS)
  }
}

function collect(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.on('data', (data: Buffer) => {
    text += data.toString()
  })
  return () => text
}

/** The status, or 0 where nothing answers yet. The certificate is not checked: its authority is made meanwhile. */
function readyz(port: number): Promise<number> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false, agent: false as const }
    const call = request(options, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    call.on('error', () => resolve(0))
    call.end()
  })
}

function credentialsIn(path: string): KubeconfigEntry | undefined {
  try {
    return entryOf(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

function figuresOf({ pid }: ChildProcess): ProcessFigures {
  const status = (field: string) => {
    const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return (Number(match?.[1]) * 1_024) / 1e6
  }
  return {
    cpuMs: () => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      return (Number(fields[11]) + Number(fields[12])) * TICK_MS
    },
    residentMb: () => status('VmRSS'),
    peakMb: () => status('VmHWM'),
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  return address.port
}
