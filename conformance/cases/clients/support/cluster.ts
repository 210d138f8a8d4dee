/**
 * A cluster for clients: the project's own command in a temporary home, objects on disk, no nodes or simulated ones. It
 * can be stopped, killed and started again, and its API is asked directly, past the clients that are judged.
 */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { RawRequest } from '../../../../src/client/client.ts'
import { createHttpTransport, type HttpTransport } from '../../../../src/client/http-transport.ts'
import { entryOf, type KubeconfigEntry } from '../../../../src/client/kubeconfig.ts'
import { rawObject } from '../../../../src/client/raw-object.ts'
import { createClient } from '../../../../src/client/resource-client.ts'
import { type CommandResult, runCommand } from '../../kubectl/support/command.ts'
import { eventually } from '../../kubectl/support/eventually.ts'
import { leftovers } from '../../kubectl/support/leftovers.ts'

/** Another build than this tree's: T8S_COMMAND. */
const T8S = process.env.T8S_COMMAND ?? resolve(import.meta.dirname, '../../../../dist/t8s.js')
/** No other cluster of the project has these ranges. */
const RANGES = ['--pod-cidr=10.170.0.0/16', '--service-cidr=10.171.0.0/16']

/** What a kubeconfig says of a user. */
export type UserEntry =
  | { readonly token: string }
  | { readonly 'client-certificate-data': string; readonly 'client-key-data': string }

export interface ClientsCluster {
  readonly name: string
  /** For files of the cases; removed with the cluster. */
  readonly directory: string
  /** HOME of what is run. */
  readonly home: string
  /** The administrator's kubeconfig. */
  readonly kubeconfig: string
  /** As administrator. Throws what the server refuses. */
  ask<T extends object>(request: RawRequest): Promise<T>
  /** The path of a kubeconfig for this user. */
  kubeconfigOf(title: string, user: UserEntry): Promise<string>
  /** Every list and watch that was begun, oldest first. */
  reads(): Promise<readonly Read[]>
  /** Starts the process again, at the same address. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Ends the process without a warning, and waits until it is gone. */
  kill(): Promise<void>
  /** What of the cluster is still on this machine, in words. */
  down(): Promise<readonly string[]>
}

/** What the audit log says of a list or a watch. */
export interface Read {
  readonly verb: 'list' | 'watch'
  readonly user: string
  readonly resource: string
  readonly timeMs: number
  readonly query: URLSearchParams
}

interface Place {
  readonly name: string
  readonly directory: string
  readonly kubeconfig: string
}

export async function startClientsCluster(title: string, { nodes = 0 } = {}): Promise<ClientsCluster> {
  const name = `clients-${title}`
  const directory = await mkdtemp(join(tmpdir(), `t8s-${name}-`))
  const place = { name, directory, kubeconfig: join(directory, 'kubeconfig') }
  const home = join(directory, 'home')
  await mkdir(home)
  const recorded = join(directory, 'reads')
  const config = await writeConfig(directory, recorded)
  const places = ['--port=0', `--config=${config}`, ...RANGES]
  const up = ['up', name, '--detach', `--nodes=${nodes}`, '--runtime=simulated', ...places]
  const administrator: { transport?: HttpTransport } = {}
  const start = async (words: readonly string[]) => {
    await t8s(place, words)
    administrator.transport?.[Symbol.dispose]()
    administrator.transport = createHttpTransport({ ...(await entryIn(place)), userAgent: 'clients-test' })
  }
  await start(up)
  return {
    ...place,
    home,
    start: () => start(['start', name]),
    ask: (request) => {
      if (!administrator.transport) throw new Error('the cluster does not run')
      return rawObject(createClient(administrator.transport), request)
    },
    kubeconfigOf: (user, entry) => writeKubeconfig(place, user, entry),
    reads: () => readsIn(recorded),
    stop: async () => void (await t8s(place, ['stop', name])),
    kill: () => kill(place),
    async down() {
      administrator.transport?.[Symbol.dispose]()
      await t8s(place, ['down', name])
      await rm(directory, { recursive: true, force: true })
      return leftovers([name, directory])
    },
  }
}

async function t8s({ directory, kubeconfig }: Place, words: readonly string[]): Promise<CommandResult> {
  const places = { T8S_HOME: join(directory, 't8s'), HOME: join(directory, 'home'), KUBECONFIG: kubeconfig }
  const result = await runCommand(process.execPath, [T8S, ...words], { env: { ...process.env, ...places } })
  if (result.code === 0) return result
  throw new Error(`t8s ${words.join(' ')}: exit code ${result.code}\n${result.stdout}\n${result.stderr}`)
}

/** The audit log says who reads what from where. */
async function writeConfig(directory: string, recorded: string): Promise<string> {
  const policy = join(directory, 'policy')
  const rules = [
    { level: 'Metadata', verbs: ['list'], omitStages: ['RequestReceived'] },
    { level: 'Metadata', verbs: ['watch'], omitStages: ['RequestReceived', 'ResponseComplete'] },
    { level: 'None' },
  ]
  await writeFile(policy, JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules }))
  const spec = { security: { audit: { enabled: true, policy, log: { path: recorded } } } }
  const config = join(directory, 'cluster')
  await writeFile(config, JSON.stringify({ apiVersion: 't8s.dev/v1alpha1', kind: 'Cluster', spec }))
  return config
}

async function readsIn(recorded: string): Promise<readonly Read[]> {
  // The line that a kill tore, and the one that is being written, are nothing yet.
  const lines = (await readFile(recorded, 'utf8')).split('\n').filter((line) => /^\{.*\}$/.test(line))
  return lines.map((line) => {
    const { verb, user, objectRef, requestURI, requestReceivedTimestamp } = JSON.parse(line)
    const timeMs = Date.parse(requestReceivedTimestamp)
    const { searchParams: query } = new URL(requestURI, 'https://server')
    return { verb, user: user.username, resource: objectRef?.resource ?? '', timeMs, query }
  })
}

async function entryIn({ kubeconfig }: Place): Promise<KubeconfigEntry> {
  const entry = entryOf(await readFile(kubeconfig, 'utf8'))
  if (!entry) throw new Error(`${kubeconfig} names no cluster`)
  return entry
}

async function kill({ name, directory }: Place): Promise<void> {
  const { run } = JSON.parse(await readFile(join(directory, 't8s', name, 'cluster.json'), 'utf8'))
  process.kill(run.pid, 'SIGKILL')
  await eventually(() => expectGone(run.pid))
}

function expectGone(pid: number): void {
  try {
    process.kill(pid, 0)
  } catch {
    return
  }
  throw new Error(`process ${pid} is still there`)
}

async function writeKubeconfig(place: Place, title: string, user: UserEntry): Promise<string> {
  const { server, certificateAuthority } = await entryIn(place)
  const authority = Buffer.from(certificateAuthority).toString('base64')
  const file = join(place.directory, `kubeconfig-${title}`)
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'here', cluster: { server, 'certificate-authority-data': authority } }],
    users: [{ name: title, user }],
    contexts: [{ name: 'here', context: { cluster: 'here', user: title } }],
    'current-context': 'here',
  }
  await writeFile(file, JSON.stringify(config, undefined, 2))
  return file
}
