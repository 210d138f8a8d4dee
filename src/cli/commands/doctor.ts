/** `t8s doctor`: looks at what clusters need from this machine, and gives the remedy for what is missing. */

import { execFile } from 'node:child_process'
import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { promisify } from 'node:util'
import { DEFAULTS, homeDirectory } from '../../cluster/config.ts'
import { KUBERNETES_VERSION } from '../../cluster/version.ts'
import { type CommandContext, printValue } from '../context.ts'
import { askDocker, dockerObstacle } from '../docker-probe.ts'
import { tableText } from '../output/table.ts'
import { freePort, portHolder } from '../ports.ts'
import { allStates, phaseOf } from '../state.ts'
import { placesOf } from '../variables.ts'

interface Finding {
  readonly check: string
  /** `warn`: t8s runs, with something missing. */
  readonly result: 'ok' | 'warn' | 'bad'
  readonly text: string
  readonly fix?: string | undefined
}

const run = promisify(execFile)

/** Exit code 1: something is bad. */
export async function doctor(context: CommandContext): Promise<number> {
  const found = await Promise.all([docker(context), port(context), inotify(), disk(context), kubectl(), ...tools()])
  const bad = found.some(({ result }) => result === 'bad')
  await printValue(context, { apiVersion: 't8s.dev/v1alpha1', kind: 'Findings', items: found }, () => screen(found))
  return bad ? 1 : 0
}

function screen(found: readonly Finding[]): string {
  const marks = { ok: 'ok', warn: 'warn', bad: 'FAIL' }
  return tableText(
    ['CHECK', 'RESULT', 'FINDING', 'FIX'],
    found.map(({ check, result, text, fix = '' }) => [check, marks[result], text, fix]),
  )
}

/** Beyond this, certificates and leases of nodes and API server disagree; in ms. */
const SKEW_MS_MAX = 5_000

async function docker({ variables, clock }: CommandContext): Promise<Finding> {
  const socket = variables.dockerSocket ?? DEFAULTS.dockerSocket
  const obstacle = await dockerObstacle(socket)
  const answer = await askDocker(socket)
  if (!obstacle && 'version' in answer) {
    const skewMs = Math.abs(answer.timeMs - clock.now())
    if (!(skewMs > SKEW_MS_MAX)) return { check: 'docker', result: 'ok', text: `Engine ${answer.version}` }
    const text = `the engine's clock is ${Math.round(skewMs / 1_000)} s off`
    return { check: 'docker', result: 'warn', text, fix: 'restart Docker, or set its clock' }
  }
  const text = obstacle?.message ?? 'it does not answer'
  return { check: 'docker', result: 'warn', text, fix: obstacle?.text.next?.[0]?.[0] }
}

async function port(context: CommandContext): Promise<Finding> {
  const { port: usual, host } = DEFAULTS
  if ((await freePort(host, usual)) !== undefined) return { check: 'port', result: 'ok', text: `${usual} is free` }
  const running = (await allStates(context)).find(
    (state) => state.config.port === usual && phaseOf(state) === 'Running',
  )
  if (running) return { check: 'port', result: 'ok', text: `${usual} is cluster "${running.config.name}"` }
  const holder = portHolder(usual)
  const who = holder ? `${holder.name} (pid ${holder.pid})` : 'another program'
  return { check: 'port', result: 'warn', text: `${usual} is in use by ${who}`, fix: 't8s up --port=0' }
}

/** Below these, programs in many pods cannot watch files. */
const INOTIFY_MIN = { max_user_instances: 512, max_user_watches: 65_536 } as const

async function inotify(): Promise<Finding> {
  for (const [name, least] of Object.entries(INOTIFY_MIN)) {
    const value = Number(read(`/proc/sys/fs/inotify/${name}`) || least)
    if (value >= least) continue
    const fix = `sudo sysctl fs.inotify.${name}=${least}`
    return { check: 'inotify', result: 'warn', text: `${name} is ${value}, many pods need ${least}`, fix }
  }
  return { check: 'inotify', result: 'ok', text: 'limits are high enough' }
}

const DISK_BYTES_MIN = 2 * 1024 ** 3
const GIB = 1024 ** 3

async function disk({ variables }: CommandContext): Promise<Finding> {
  const home = homeDirectory(placesOf(variables))
  let place = home
  while (!existsSync(place) && place !== '/') place = place.slice(0, place.lastIndexOf('/')) || '/'
  const { bavail, bsize } = statfsSync(place)
  const free = bavail * bsize
  const text = `${(free / GIB).toFixed(1)} GiB free at ${home}`
  if (free >= DISK_BYTES_MIN) return { check: 'disk', result: 'ok', text }
  return { check: 'disk', result: free > 0 ? 'warn' : 'bad', text, fix: 'make room, or set T8S_HOME' }
}

const MINOR = /^v?1\.(\d+)/

async function kubectl(): Promise<Finding> {
  const check = 'kubectl'
  try {
    const { stdout } = await run('kubectl', ['version', '--client', '-o', 'json'])
    const { clientVersion } = JSON.parse(stdout) as { readonly clientVersion?: { readonly gitVersion?: string } }
    const version = clientVersion?.gitVersion ?? ''
    const skew = Math.abs(Number(MINOR.exec(version)?.[1]) - Number(MINOR.exec(KUBERNETES_VERSION)?.[1]))
    if (skew <= 1) return { check, result: 'ok', text: version }
    const text = `${version} is ${skew} minor versions from ${KUBERNETES_VERSION}`
    return { check, result: 'warn', text, fix: 'install kubectl v1.35 to v1.37' }
  } catch {
    return { check, result: 'warn', text: 'not found', fix: 'https://kubernetes.io/docs/tasks/tools/' }
  }
}

/** Programs that nodes on Docker need, and the package that has them. */
const TOOLS = [
  ['ip', 'iproute2'],
  ['nft', 'nftables'],
  ['conntrack', 'conntrack'],
  ['nsenter', 'util-linux'],
] as const
const PLACES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

function tools(): readonly Finding[] {
  return TOOLS.map(([name, from]) => {
    const place = PLACES.map((directory) => `${directory}/${name}`).find((path) => existsSync(path))
    if (place) return { check: name, result: 'ok', text: place }
    return { check: name, result: 'warn', text: 'nodes on Docker need it', fix: `sudo apt-get install ${from}` }
  })
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
