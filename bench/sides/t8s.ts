/** t8s as its users start it: the built command in a process of its own, data on disk, audit off as on the other side. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Program, startProgram } from '../../conformance/peers/processes.ts'
import { systemClock } from '../../src/base/clock.ts'
import { systemRandom } from '../../src/base/random.ts'
import { entryOf, type KubeconfigEntry } from '../../src/client/kubeconfig.ts'
import { issueCredentials } from '../../src/cluster/credentials.ts'
import { createCertificateAuthority } from '../../src/server/auth/certificate-authority.ts'
import { writeAccess } from './access.ts'
import { freePorts, removeFolder, temporaryFolder, untilReady } from './places.ts'
import { figuresOf } from './process-figures.ts'
import type { RunningSide, Side, SideWish } from './side.ts'

const COMMAND = join(import.meta.dirname, '..', '..', 'dist', 't8s.js')
const NAME = 'bench'

export const t8s: Side = {
  name: 't8s',
  // It declines HTTP/2 unless told otherwise: docs/decisions/0021.
  chosen: 'HTTP/1.1',
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

/** The group of the other side's user: no level of priority holds it back, no role is looked up for it. */
const GROUP = 'system:masters'

async function launch(parts: Launch): Promise<RunningSide> {
  const { folder, port, wish } = parts
  const kubeconfig = join(folder, 'kubeconfig')
  const environment = { T8S_HOME: folder, KUBECONFIG: kubeconfig }
  const startedAt = performance.now()
  const options = { environment, processors: wish.processors }
  const program = startProgram(process.execPath, flagsOf(parts), join(folder, 'output.log'), options)
  const remove = async () => {
    await program.stop('SIGTERM')
    const down = spawn(process.execPath, [COMMAND, 'down', NAME], {
      env: { ...process.env, ...environment },
      stdio: 'ignore',
    })
    await once(down, 'exit')
    removeFolder(folder)
  }
  try {
    await untilReady(port, [program])
    const readyMs = performance.now() - startedAt
    const entry = await entryIn(kubeconfig, program)
    const user = (name: string, groups: readonly string[]) => userIn(folder, entry, name, groups)
    return {
      ...{ startedAt, readyMs, user },
      access: await user('bench', [GROUP]),
      figures: figuresOf(() => [program.pid]),
      async crash() {
        await program.stop('SIGKILL')
        return launch(parts)
      },
      [Symbol.asyncDispose]: remove,
    }
  } catch (error) {
    await remove()
    throw error
  }
}

function flagsOf({ folder, port, wish }: Launch): readonly string[] {
  const runtime = `--runtime=${wish.docker === true ? 'docker' : 'simulated'}`
  const nodes = `--nodes=${wish.nodes ?? 0}`
  const document = `--config=${join(folder, 'cluster.yaml')}`
  return [COMMAND, 'up', NAME, runtime, nodes, '--data=disk', `--port=${port}`, document]
}

const LOOK_MS = 5

/** Of the administrator, as the cluster writes it once it is ready for people. */
async function entryIn(path: string, program: Program): Promise<KubeconfigEntry> {
  for (;;) {
    program.assertRunning()
    const entry = entryAt(path)
    if (entry) return entry
    await sleep(LOOK_MS)
  }
}

function entryAt(path: string): KubeconfigEntry | undefined {
  try {
    return entryOf(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

async function userIn(folder: string, entry: KubeconfigEntry, name: string, groups: readonly string[]) {
  const pair = await issueCredentials(join(folder, NAME), name, groups)
  if (pair === undefined) throw new Error('the cluster has no authority for clients yet')
  return writeAccess({ folder, name, server: entry.server, authority: entry.certificateAuthority, pair })
}
