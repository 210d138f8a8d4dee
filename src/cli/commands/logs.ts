/** `t8s logs`: the log of a cluster's process, or what its audit log has, as lines for people or as it is. */

import { createReadStream, existsSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { auditLogPath } from '../../cluster/security/settings.ts'
import { parseDuration } from '../../machinery/meta/time.ts'
import { type CommandContext, clusterName } from '../context.ts'
import { Failure } from '../failure.ts'
import { printable } from '../output/printable.ts'
import { logPath } from '../run.ts'
import { stateOf } from '../state.ts'
import { loggedSince, readableEvent } from './audit-lines.ts'

export interface LogsOptions {
  readonly follow?: boolean
  readonly since?: string
}

/** How often a followed log is looked at, in ms. */
const LOOK_MS = 200

export async function logs(context: CommandContext, component: string | undefined, options: LogsOptions) {
  const { config } = await stateOf(context, clusterName(context, undefined))
  const { clock, interrupted, terminal, globals } = context
  const sinceMs = sinceOf(options)
  const after = sinceMs === undefined ? 0 : clock.now() - sinceMs
  const audits = component === 'audit' && existsSync(auditLogPath(config.security.audit, config.directory))
  const path = audits ? auditLogPath(config.security.audit, config.directory) : logPath(config.directory)
  const isWanted = (line: string) => (audits ? loggedSince(line, after) : selected(line, component, after))
  const shown = audits ? readableEvent : readable
  const print = (line: string) => {
    if (isWanted(line)) terminal.print(`${globals.output === 'json' ? line : printable(shown(line))}\n`)
  }
  let offset = await readFrom(path, 0, print)
  while (options.follow && !interrupted.aborted) {
    await clock.sleep(LOOK_MS, interrupted).catch(() => {})
    // A smaller file is a new one: the cluster was started again.
    offset = await readFrom(path, sizeOf(path) < offset ? 0 : offset, print)
  }
}

function sinceOf({ since }: LogsOptions): number | undefined {
  if (since === undefined) return undefined
  const ms = parseDuration(since)
  if (ms !== undefined && ms >= 0) return ms
  throw new Failure({ reason: 'Usage', message: `--since=${since} is not a duration such as 5m or 1h30m.` })
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** Gives whole lines from an offset on; the offset behind them. A line that is still being written waits. */
async function readFrom(path: string, start: number, print: (line: string) => void): Promise<number> {
  const end = sizeOf(path)
  if (end <= start) return start
  const lines = createInterface({ input: createReadStream(path, { start, end: end - 1 }), crlfDelay: Infinity })
  let offset = start
  for await (const line of lines) {
    const next = offset + Buffer.byteLength(line) + 1
    if (next > end) break
    print(line)
    offset = next
  }
  return offset
}

interface Line {
  readonly level: number
  readonly time: string
  readonly msg: string
  readonly component?: string | undefined
}

/** Undefined: not a line of the log, but what the process printed beside it. */
function parseLine(line: string): (Line & Readonly<Record<string, unknown>>) | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const parsed: unknown = JSON.parse(line)
    const isLine = typeof parsed === 'object' && parsed !== null && 'time' in parsed && 'msg' in parsed
    return isLine ? (parsed as Line & Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Names that lines carry for the part of the cluster they come from. */
const COMPONENT_FIELDS = ['component', 'controller', 'node', 'plugin'] as const

export function selected(line: string, component: string | undefined, afterMs: number): boolean {
  const parsed = parseLine(line)
  if (!parsed) return component === undefined
  if (Date.parse(parsed.time) < afterMs) return false
  // `controller/NAME` and `kubelet/NODE`, or the name alone.
  const wanted = component?.split('/').at(-1)
  return wanted === undefined || COMPONENT_FIELDS.some((field) => parsed[field] === wanted)
}

const LEVELS: Readonly<Record<number, string>> = { 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR', 60: 'FATAL' }

export function readable(line: string): string {
  const parsed = parseLine(line)
  if (!parsed) return line
  const { level, time, msg, ...fields } = parsed
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${wordOf(value)}`)
  return [time.slice(11, 23), (LEVELS[level] ?? String(level)).padEnd(5), msg, ...rest].join(' ')
}

function wordOf(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)
}
