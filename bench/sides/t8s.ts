/** t8s as its users start it: the built command in a process of its own, data on disk, audit off as on the other side. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock.ts'
import { systemRandom } from '../../src/base/random.ts'
import { entryOf, type KubeconfigEntry } from '../../src/client/kubeconfig.ts'
import { type Credentials, issueCredentials } from '../../src/cluster/credentials.ts'
import { createCertificateAuthority } from '../../src/server/auth/certificate-authority.ts'
import { freePorts, removeFolder, temporaryFolder, untilReady } from './places.ts'
import { figuresOf } from './process-figures.ts'
import type { Access, RunningSide, Side, SideWish } from './side.ts'

const COMMAND = join(import.meta.dirname, '..', '..', 'dist', 't8s.js')
const NAME = 'bench'

export const t8s: Side = {
  name: 't8s',
  async start(wish) {
    const folder = temporaryFolder()
    const [port = 0] = await freePorts(1)
    // So that the library that signs is there when the server is: signing must not be part of a figure.
    await createCertificateAuthority('unused', { clock: systemClock, random: systemRandom })
    writeFileSync(join(folder, 'cluster.yaml'), clusterDocument(wish))
    return launch({ folder, port, wish })
  },
}

/** Nothing may be switched off here that the other side does. */
function clusterDocument({ http2 = false }: SideWish): string {
  return JSON.stringify({
    apiVersion: 't8s.dev/v1alpha1',
    kind: 'Cluster',
    spec: { security: { audit: { enabled: false } }, server: { http2 } },
  })
}

interface Launch {
  readonly folder: string
  readonly port: number
  readonly wish: SideWish
}

async function launch(parts: Launch): Promise<RunningSide> {
  const { folder, port, wish } = parts
  const kubeconfig = join(folder, 'kubeconfig')
  const environment = { ...process.env, T8S_HOME: folder, KUBECONFIG: kubeconfig }
  const runtime = `--runtime=${wish.docker === true ? 'docker' : 'simulated'}`
  const flags = [runtime, `--nodes=${wish.nodes ?? 0}`, '--data=disk', `--port=${port}`]
  const log = openSync(join(folder, 'output.log'), 'a')
  const startedAt = performance.now()
  const parameters = [COMMAND, 'up', NAME, ...flags, `--config=${join(folder, 'cluster.yaml')}`]
  const child = spawn(process.execPath, parameters, { env: environment, stdio: ['ignore', log, log] })
  const stop = () => ended(child, 'SIGTERM')
  try {
    await untilReady(port, () => assertRunning(child, folder))
    const readyMs = performance.now() - startedAt
    const access = await accessFrom(kubeconfig, folder, () => assertRunning(child, folder))
    return {
      ...{ name: t8s.name, access, startedAt, readyMs },
      figures: figuresOf(() => (child.pid === undefined ? [] : [child.pid])),
      async crash() {
        await ended(child, 'SIGKILL')
        return launch(parts)
      },
      async [Symbol.asyncDispose]() {
        await stop()
        const down = spawn(process.execPath, [COMMAND, 'down', NAME], { env: environment, stdio: 'ignore' })
        await once(down, 'exit')
        removeFolder(folder)
      },
    }
  } catch (error) {
    await stop()
    removeFolder(folder)
    throw error
  }
}

function assertRunning(child: ChildProcess, folder: string): void {
  if (child.exitCode === null && child.signalCode === null) return
  throw new Error(`t8s has ended: ${readFileSync(join(folder, 'output.log'), 'utf8').slice(-2_000)}`)
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}

const LOOK_MS = 5

/** The group of the other side's user: no level of priority holds it back, no role is looked up for it. */
const GROUP = 'system:masters'

async function accessFrom(kubeconfig: string, folder: string, check: () => void): Promise<Access> {
  for (;;) {
    check()
    const entry = entryIn(kubeconfig)
    const user = entry && (await issueCredentials(join(folder, NAME), 'bench', [GROUP]))
    if (user) return accessFiles(userEntry(entry, user), kubeconfig, folder)
    await sleep(LOOK_MS)
  }
}

function userEntry(entry: KubeconfigEntry, { certificate, key }: Credentials): KubeconfigEntry {
  return { ...entry, clientCertificate: certificate, clientKey: key }
}

function entryIn(path: string): KubeconfigEntry | undefined {
  try {
    return entryOf(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

function accessFiles(entry: KubeconfigEntry, kubeconfig: string, folder: string): Access {
  const file = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  return {
    server: entry.server,
    ca: file('client-ca.crt', entry.certificateAuthority),
    certificate: file('client.crt', entry.clientCertificate),
    key: file('client.key', entry.clientKey),
    kubeconfig,
    credentials: entry,
  }
}
