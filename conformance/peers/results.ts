/** `results.json`: how many requests of each group agree. It only gets better: a worse run is a failure. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Played } from './play.ts'

export interface GroupResult {
  readonly requests: number
  readonly agreeing: number
}

export type Results = Readonly<Record<string, GroupResult>>

const FILE = new URL('results.json', import.meta.url)

export function resultsOf(played: readonly Played[]): Results {
  return Object.fromEntries(
    [...Map.groupBy(played, ({ group }) => group)]
      .map(([group, entries]) => {
        const agreeing = entries.filter(({ differences }) => differences.length === 0).length
        return [group, { requests: entries.length, agreeing }] as const
      })
      .sort(([left], [right]) => (left < right ? -1 : 1)),
  )
}

export function agreement({ requests, agreeing }: GroupResult): number {
  return agreeing / requests
}

/** The groups that were better before. Without any, the new numbers are kept. */
export function keepResults(results: Results): readonly string[] {
  const before: Results = existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : {}
  const worse = Object.entries(results).flatMap(([group, result]) => {
    const old = Object.hasOwn(before, group) ? before[group] : undefined
    if (!old || agreement(result) >= agreement(old)) return []
    return [`${group} agreed in ${percent(old)} before and does in ${percent(result)} now`]
  })
  if (worse.length === 0) writeFileSync(FILE, `${JSON.stringify(results, null, 2)}\n`)
  return worse
}

export function percent(result: GroupResult): string {
  return `${(100 * agreement(result)).toFixed(2)} %`
}
