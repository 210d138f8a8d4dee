/** The order of API versions by their names: the one that clients should prefer comes first. */

/** Stable before beta before alpha, then higher numbers first; names that are no versions last, by name. */
export function compareVersions(left: string, right: string): number {
  const [first, second] = [parseVersion(left), parseVersion(right)]
  if (first === undefined || second === undefined) {
    if (first !== undefined) return -1
    if (second !== undefined) return 1
    return left < right ? -1 : left > right ? 1 : 0
  }
  return second.stability - first.stability || second.major - first.major || second.minor - first.minor
}

interface ParsedVersion {
  readonly major: number
  readonly stability: number
  readonly minor: number
}

function parseVersion(text: string): ParsedVersion | undefined {
  const [, major, stage, minor] = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(text) ?? []
  if (major === undefined) return undefined
  const stability = stage === undefined ? 2 : stage === 'beta' ? 1 : 0
  return { major: Number(major), stability, minor: Number(minor ?? 0) }
}
