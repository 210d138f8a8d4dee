/**
 * Docker Engine for the project's own tasks: used when it answers, started when it is installed, installed when it is
 * missing and this is root on a Debian-like system. Every step says what it does; nothing is done twice.
 */

import { spawn } from 'node:child_process'
import { existsSync, openSync } from 'node:fs'
import { createConnection } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { capture, exists, say, show } from './command.ts'

const SOCKET = '/var/run/docker.sock'
const PACKAGES = ['docker.io', 'iptables', 'iproute2', 'nftables', 'conntrack', 'busybox-static', 'e2fsprogs']
const COMMANDS = ['dockerd', 'iptables', 'ip', 'nft', 'conntrack', 'nsenter', 'mkfs.ext4']
const BUSYBOX = '/bin/busybox'
const DAEMON_LOG = '/var/log/t8s-dockerd.log'
/** Half-second looks at the socket before the daemon counts as failed: 60 s. */
const LOOKS_MAX = 120

export interface DockerEngine {
  readonly available: boolean
  /** Why not, and what to do. */
  readonly advice: string
  /** Stops the daemon if this call started it. */
  stop(): Promise<void>
}

export async function ensureDocker(): Promise<DockerEngine> {
  const isRoot = process.getuid?.() === 0
  const missing = COMMANDS.filter((command) => !exists(command))
  if (isRoot && (missing.length > 0 || !existsSync(BUSYBOX))) installPackages(missing)
  if (await answers()) return { available: true, advice: '', stop: async () => {} }
  if (!isRoot || !exists('dockerd')) return { available: false, advice: adviceFor(isRoot), stop: async () => {} }
  return startDaemon()
}

function installPackages(missing: readonly string[]): void {
  if (!exists('apt-get')) return
  say(`installing Docker Engine and network tools with apt-get (missing: ${missing.join(', ') || 'busybox'}) …`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const quiet = { env, stdio: ['ignore', 2, 2] as const }
  if (show('apt-get', ['update', '-qq'], { env, stdio: [...quiet.stdio] }) !== 0) say('apt-get update failed; going on')
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...PACKAGES]
  if (show('apt-get', install, { env, stdio: [...quiet.stdio] }) !== 0) say('apt-get install failed; see above')
}

function adviceFor(isRoot: boolean): string {
  if (isRoot) return 'Docker Engine is not installed: apt-get install docker.io iptables iproute2 nftables conntrack'
  if (exists('dockerd'))
    return 'Docker does not answer: sudo systemctl start docker, and sudo usermod -aG docker "$USER"'
  return 'Docker Engine is not installed: sudo apt-get install docker.io iptables iproute2 nftables conntrack'
}

async function startDaemon(): Promise<DockerEngine> {
  say(`starting dockerd (log: ${DAEMON_LOG}) …`)
  const before = networkOfMachine()
  const log = openSync(DAEMON_LOG, 'a')
  const daemon = spawn('dockerd', [], { detached: true, stdio: ['ignore', log, log] })
  daemon.unref()
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    if (await answers()) return { available: true, advice: '', stop: () => stopDaemon(daemon.pid, before) }
    if (daemon.exitCode !== null) break
    await sleep(500)
  }
  return { available: false, advice: `dockerd did not start; see ${DAEMON_LOG}`, stop: async () => {} }
}

async function stopDaemon(pid: number | undefined, before: NetworkOfMachine): Promise<void> {
  if (pid === undefined) return
  say('stopping the dockerd that was started for this run …')
  process.kill(pid, 'SIGTERM')
  for (let looks = 0; looks < LOOKS_MAX && capture('kill', ['-0', String(pid)]).code === 0; looks++) await sleep(500)
  removeAdded(before)
}

/** What the daemon adds to a machine's network and leaves there when it ends. */
interface NetworkOfMachine {
  readonly tables: readonly string[]
  readonly bridge: boolean
}

const DAEMON_BRIDGE = 'docker0'
/** The tables that its iptables rules live in. */
const DAEMON_TABLES = /^table (ip6? (?:nat|filter|raw|mangle))$/gm

function networkOfMachine(): NetworkOfMachine {
  const { output } = capture('nft', ['list', 'tables'])
  const tables = [...output.matchAll(DAEMON_TABLES)].map(([, table = '']) => table)
  return { tables, bridge: capture('ip', ['link', 'show', DAEMON_BRIDGE]).code === 0 }
}

/** Only what was not there before the daemon: then nobody else had anything in it. */
function removeAdded(before: NetworkOfMachine): void {
  const { tables, bridge } = networkOfMachine()
  for (const table of tables.filter((name) => !before.tables.includes(name))) {
    capture('nft', ['delete', 'table', ...table.split(' ')])
  }
  if (bridge && !before.bridge) capture('ip', ['link', 'delete', DAEMON_BRIDGE])
}

/** Whether something accepts connections on Docker's socket and answers a ping. */
function answers(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(SOCKET)
    socket.setTimeout(5_000, () => socket.destroy())
    socket.on('connect', () => socket.write('GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n'))
    socket.on('data', (data) => {
      resolve(data.toString().includes('200 OK'))
      socket.destroy()
    })
    socket.on('error', () => resolve(false))
    socket.on('close', () => resolve(false))
  })
}
