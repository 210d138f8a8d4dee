/**
 * Divides seats among levels in proportion to what each aims at, within each one's bounds: there is one fraction of
 * its target that every level gets, but for those that this would bring below their least or above their most.
 */

export interface Claim {
  /** Not less than `least`. */
  readonly target: number
  readonly least: number
  readonly most: number
}

export interface Allocation {
  /** In the order of the claims; their sum is what was to be divided. */
  readonly shares: readonly number[]
  /** The fraction of its target that a level gets which is held by no bound. */
  readonly fairFraction: number
}

/** A target of nothing would be nothing at every fraction. */
const TARGET_MIN = 0.001

/** Undefined: the bounds leave no way to divide exactly this sum. */
export function allocate(sum: number, claims: readonly Claim[]): Allocation | undefined {
  const items = claims.map(({ target, least, most }) => ({ target: Math.max(target, TARGET_MIN), least, most }))
  const shareOf = ({ target, least, most }: Claim, fraction: number): number =>
    Math.min(most, Math.max(least, target * fraction))
  const totalAt = (fraction: number): number => items.reduce((total, item) => total + shareOf(item, fraction), 0)
  const bends = items.flatMap(({ target, least, most }) => [least / target, most / target])
  const ordered = [...new Set(bends)].sort((left, right) => left - right)
  let from = ordered[0] ?? 0
  if (totalAt(from) > sum + TOLERANCE) return undefined
  let fraction = from
  for (const to of ordered) {
    // Between two bends the total is a straight line.
    const [low, high] = [totalAt(from), totalAt(to)]
    fraction = high <= sum ? to : from + ((to - from) * (sum - low)) / (high - low)
    if (high >= sum) break
    from = to
  }
  const shares = items.map((item) => shareOf(item, fraction))
  const reached = shares.reduce((total, share) => total + share, 0)
  return Math.abs(reached - sum) > TOLERANCE ? undefined : { shares, fairFraction: fraction }
}

/** Seats; what adding up fractions may be off by. */
const TOLERANCE = 1e-6
