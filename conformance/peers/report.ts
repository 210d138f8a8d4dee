/** What a comparison found: agreement by group on the screen, everything in `.cache/peers/report.md`. */

import { mkdir, writeFile } from 'node:fs/promises'
import { readListed, sortDifferences } from './listed.ts'
import type { Played } from './play.ts'
import { keepResults, percent, type Results, resultsOf } from './results.ts'

const DIRECTORY = new URL('../../.cache/peers/', import.meta.url)
/** Characters of a value that are shown. */
const VALUE_MAX = 2_000

/** Whether everything agrees but for what is listed. `whole`: nothing was left out, so a row without a difference is stale. */
export async function report(played: readonly Played[], whole: boolean): Promise<boolean> {
  const { unlisted, stale } = sortDifferences(played, readListed())
  const results = resultsOf(played)
  const worse = whole ? keepResults(results) : []
  const lines = [...agreementLines(results), ...worse, '', ...differenceLines(unlisted)]
  if (whole) lines.push(...stale.map((row) => `Nothing differs any more where differences.md says: ${row}`))
  await mkdir(DIRECTORY, { recursive: true })
  await writeFile(new URL('report.md', DIRECTORY), `${lines.join('\n')}\n`)
  for (const line of [...agreementLines(results), ...worse]) console.log(line)
  console.log(`${unlisted.length} differences are not in differences.md; see .cache/peers/report.md`)
  return unlisted.length === 0 && worse.length === 0 && (!whole || stale.length === 0)
}

function agreementLines(results: Results): readonly string[] {
  return Object.entries(results).map(
    ([group, result]) => `${group}: ${result.agreeing} of ${result.requests} agree (${percent(result)})`,
  )
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
