/**
 * `differences.md`: the differences that are known, with their reasons. Each row of its tables names a case and a
 * place, `*` standing for anything. A difference that no row has fails the comparison; a row that no difference
 * has fails it as well.
 */

import { readFileSync } from 'node:fs'
import type { Played } from './play.ts'
import type { Difference } from './values.ts'

export interface Listed {
  /** The row as it is written. */
  readonly text: string
  readonly name: RegExp
  readonly where: RegExp
}

const FILE = new URL('../differences.md', import.meta.url)

export function readListed(): readonly Listed[] {
  return readFileSync(FILE, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const cells = /^\| `([^`]+)` *\| `([^`]+)` *\|/.exec(line)
      if (!cells) return []
      return [{ text: line, name: patternOf(cells[1] ?? ''), where: patternOf(cells[2] ?? '') }]
    })
}

function patternOf(text: string): RegExp {
  const parts = text.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 's')
}

export interface Sorted {
  readonly unlisted: readonly { readonly group: string; readonly name: string; readonly difference: Difference }[]
  /** Rows that nothing matched. */
  readonly stale: readonly string[]
}

export function sortDifferences(played: readonly Played[], listed: readonly Listed[]): Sorted {
  const used = new Set<Listed>()
  const unlisted = played.flatMap(({ group, name, differences }) =>
    differences.flatMap((difference) => {
      const rows = listed.filter((row) => row.name.test(name) && row.where.test(difference.where))
      for (const row of rows) used.add(row)
      return rows.length > 0 ? [] : [{ group, name, difference }]
    }),
  )
  return { unlisted, stale: listed.filter((row) => !used.has(row)).map(({ text }) => text) }
}
