/**
 * Why a pod is pending, as text for people: a sentence, a line per node with its first reason and what else
 * fails there, and the smallest changes that would fit. The findings are the scheduler's; this only words them.
 */

export interface PendingFindings {
  /** `namespace/name`. */
  readonly pod: string
  readonly atMs: number
  readonly revision: number
  /** The part of the queue that the pod is in. */
  readonly queue: string
  /** What the last attempt to schedule said. */
  readonly message?: string | undefined
  readonly nodes: readonly NodeFindings[]
  readonly suggestions: readonly { readonly changes: readonly string[]; readonly node: string }[]
}

export interface NodeFindings {
  readonly node: string
  readonly fits: boolean
  readonly findings: readonly { readonly plugin: string; readonly text: string }[]
}

export interface Explanation {
  /** `Pod shop/api is Pending: no node fits (3 nodes checked at rev 4711, 10:02:03).` */
  readonly summary: string
  readonly nodes: readonly NodeLine[]
  readonly remedies: readonly Remedy[]
}

export interface NodeLine {
  readonly node: string
  readonly result: 'yes' | 'no'
  readonly firstReason: string
  /** Everything else that is wrong there; empty: nothing. */
  readonly alsoFails: readonly string[]
}

export interface Remedy {
  /** `lower requests.cpu from 2 to 1400m`. */
  readonly text: string
  readonly node: string
}

const NOTHING = '–'

export function explainPending(found: PendingFindings): Explanation {
  return {
    summary: summary(found),
    nodes: found.nodes.map(({ node, fits, findings }) => {
      const [first, ...others] = findings
      return {
        node,
        result: fits ? 'yes' : 'no',
        firstReason: first?.text ?? NOTHING,
        alsoFails: others.map(({ text }) => text),
      }
    }),
    remedies: found.suggestions.map(({ changes, node }) => ({ text: changes.join(' and '), node })),
  }
}

function summary({ pod, nodes, revision, atMs, queue }: PendingFindings): string {
  const count = `${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`
  const when = `(${count} checked at rev ${revision}, ${new Date(atMs).toISOString().slice(11, 19)})`
  const fitting = nodes.filter(({ fits }) => fits).length
  if (nodes.length === 0) return `Pod ${pod} is Pending: the cluster has no nodes ${when}.`
  if (fitting === 0) return `Pod ${pod} is Pending: no node fits ${when}.`
  if (queue === 'none')
    return `Pod ${pod} is Pending: ${fitting} of ${count} would fit, but no scheduler here has it ${when}.`
  return `Pod ${pod} is Pending: ${fitting} of ${count} would fit; it is in the ${queue} queue ${when}.`
}

/** The explanation as lines of a terminal. */
export function explanationLines({ summary: headline, nodes, remedies }: Explanation): readonly string[] {
  const rows = nodes.map(({ node, result, firstReason, alsoFails }) => [
    node,
    result,
    firstReason,
    alsoFails.length === 0 ? NOTHING : alsoFails.join('; '),
  ])
  const table = rows.length === 0 ? [] : ['', ...aligned([['NODE', 'RESULT', 'FIRST REASON', 'ALSO FAILS'], ...rows])]
  return [headline, ...table, ...remedyLines(remedies)]
}

function remedyLines(remedies: readonly Remedy[]): readonly string[] {
  if (remedies.length === 0) return []
  const width = Math.max(...remedies.map(({ text }) => text.length))
  const lines = remedies.map(({ text, node }, index) => {
    const lead = index === 0 ? '' : 'or '
    return `    • ${(lead + text).padEnd(width + 3)}  → ${node}`
  })
  return ['', '  Smallest change that would fit:', ...lines]
}

function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ')}`.trimEnd())
}
