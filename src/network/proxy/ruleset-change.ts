/** Pure: from one ruleset to the next as one nftables transaction that touches only what differs. */

import { type Ruleset, TABLE, type TableName } from './ruleset.ts'

export const EMPTY_RULESET: Ruleset = { chains: new Map(), affinitySets: new Map(), elements: new Map() }

/**
 * Empty when nothing differs. The order matters: what is referred to exists before, and goes only after, whatever refers
 * to it.
 */
export function rulesetChange(previous: Ruleset, next: Ruleset): string {
  const addedSets = [...next.affinitySets].filter(([name]) => !previous.affinitySets.has(name))
  const removedSets = [...previous.affinitySets.keys()].filter((name) => !next.affinitySets.has(name))
  const changed = [...next.chains].filter(([name, rules]) => !sameRules(previous.chains.get(name), rules))
  const removedChains = [...previous.chains.keys()].filter((name) => !next.chains.has(name))
  const lines = [
    ...addedSets.map(
      ([name, seconds]) =>
        `add set ${TABLE} ${name} { type ipv4_addr; size ${CLIENTS_MAX}; flags dynamic,timeout; timeout ${seconds}s; }`,
    ),
    ...changed.map(([name]) => `add chain ${TABLE} ${name}`),
    ...changed.map(([name]) => `flush chain ${TABLE} ${name}`),
    ...changed.flatMap(([name, rules]) => rules.map((rule) => `add rule ${TABLE} ${name} ${rule}`)),
    ...elementChanges(previous, next),
    ...removedChains.map((name) => `flush chain ${TABLE} ${name}`),
    ...removedChains.map((name) => `delete chain ${TABLE} ${name}`),
    ...removedSets.map((name) => `delete set ${TABLE} ${name}`),
  ]
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** Clients that one backend remembers; one more is balanced anew with each connection. */
const CLIENTS_MAX = 65_536

function sameRules(left: readonly string[] | undefined, right: readonly string[]): boolean {
  return left?.length === right.length && left.every((rule, index) => rule === right[index])
}

function elementChanges(previous: Ruleset, next: Ruleset): readonly string[] {
  const tables = new Set([...previous.elements.keys(), ...next.elements.keys()])
  return [...tables].flatMap((table) => {
    const before = previous.elements.get(table) ?? new Map<string, string>()
    const after = next.elements.get(table) ?? new Map<string, string>()
    const gone = [...before].filter(([key, value]) => after.get(key) !== value)
    const come = [...after].filter(([key, value]) => before.get(key) !== value)
    return [...elementLines('delete', table, gone), ...elementLines('add', table, come)]
  })
}

/** Elements of one statement: long lines are read slowly, and an error names its line. */
const ELEMENTS_PER_LINE = 64

function elementLines(
  verb: 'add' | 'delete',
  table: TableName,
  elements: readonly (readonly [string, string])[],
): readonly string[] {
  const lines: string[] = []
  for (let start = 0; start < elements.length; start += ELEMENTS_PER_LINE) {
    const texts = elements.slice(start, start + ELEMENTS_PER_LINE).map(([key, value]) => elementText(key, value))
    lines.push(`${verb} element ${TABLE} ${table} { ${texts.join(', ')} }`)
  }
  return lines
}

function elementText(key: string, value: string): string {
  return value === '' ? key : `${key} : ${value}`
}
