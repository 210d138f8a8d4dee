/** What a comparison found: agreement by group on the screen, everything in `.cache/peers/report.md`. */

import { mkdir, writeFile } from 'node:fs/promises'
import { readListed, sortDifferences } from './listed.ts'
import type { Played } from './play.ts'

const DIRECTORY = new URL('../../.cache/peers/', import.meta.url)
/** Characters of a value that are shown. */
const VALUE_MAX = 2_000

/** Whether everything agrees but for what is listed. `whole`: nothing was left out, so a row without a difference is stale. */
export async function report(played: readonly Played[], whole: boolean): Promise<boolean> {
  const { unlisted, stale } = sortDifferences(played, readListed())
  const lines = [...agreementLines(played), '', ...differenceLines(unlisted)]
  if (whole) lines.push(...stale.map((row) => `Nothing differs any more where differences.md says: ${row}`))
  await mkdir(DIRECTORY, { recursive: true })
  await writeFile(new URL('report.md', DIRECTORY), `${lines.join('\n')}\n`)
  for (const line of agreementLines(played)) console.log(line)
  console.log(`${unlisted.length} differences are not in differences.md; see .cache/peers/report.md`)
  return unlisted.length === 0 && (!whole || stale.length === 0)
}

function agreementLines(played: readonly Played[]): readonly string[] {
  const groups = Map.groupBy(played, ({ group }) => group)
  return [...groups].map(([group, entries]) => {
    const agreeing = entries.filter(({ differences }) => differences.length === 0).length
    return `${group}: ${agreeing} of ${entries.length} agree (${((100 * agreeing) / entries.length).toFixed(2)} %)`
  })
}

function differenceLines(unlisted: ReturnType<typeof sortDifferences>['unlisted']): readonly string[] {
  return unlisted.flatMap(({ name, difference: { where, upstream, t8s } }) => [
    `- ${name} | ${where}`,
    `    upstream: ${shown(upstream)}`,
    `    t8s:      ${shown(t8s)}`,
  ])
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, VALUE_MAX)
}
