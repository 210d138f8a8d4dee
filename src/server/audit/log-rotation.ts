/** Names of full log files, and which of them are to go. Pure. */

import { extname } from 'node:path'

/** `audit.log` of a quarter to ten on a Saturday in November → `audit-2026-11-21T09-45-00.000.log`. */
export function backupName(name: string, nowMs: number): string {
  const time = new Date(nowMs).toISOString().slice(0, -1).replaceAll(':', '-')
  const extension = extname(name)
  return `${name.slice(0, name.length - extension.length)}-${time}${extension}`
}

export interface BackupLimits {
  readonly maxBackups: number
  readonly maxAgeDays: number
}

const DAY_MS = 24 * 60 * 60 * 1_000

/** Among `names`, the backups of `name` beyond the limits. 0: no limit. */
export function expiredBackups(
  names: readonly string[],
  name: string,
  { maxBackups, maxAgeDays }: BackupLimits,
  nowMs: number,
): readonly string[] {
  const backups = names
    .flatMap((candidate) => {
      const atMs = timeOf(candidate, name)
      return atMs === undefined ? [] : [{ name: candidate, atMs }]
    })
    .toSorted((left, right) => right.atMs - left.atMs)
  const oldestMs = maxAgeDays === 0 ? Number.NEGATIVE_INFINITY : nowMs - maxAgeDays * DAY_MS
  const isKept = (atMs: number, index: number) => (maxBackups === 0 || index < maxBackups) && atMs >= oldestMs
  return backups.filter(({ atMs }, index) => !isKept(atMs, index)).map((backup) => backup.name)
}

/** Undefined: not a backup of this file. */
function timeOf(candidate: string, name: string): number | undefined {
  const extension = extname(name)
  const stem = `${name.slice(0, name.length - extension.length)}-`
  if (!candidate.startsWith(stem) || !candidate.endsWith(extension)) return undefined
  const text = candidate.slice(stem.length, candidate.length - extension.length)
  const match = /^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d\.\d{3})$/.exec(text)
  if (!match) return undefined
  const atMs = Date.parse(`${match[1]}:${match[2]}:${match[3]}Z`)
  return Number.isNaN(atMs) ? undefined : atMs
}
