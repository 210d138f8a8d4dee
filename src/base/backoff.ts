/** Exponential delays, as pure functions of the attempt. */

export interface Backoff {
  readonly initialMs: number
  readonly factor: number
  readonly maxMs: number
  /** 0.1 adds up to 10 %. */
  readonly jitter?: number
}

/** The delay before attempt `attempt` (0 = the first repetition). `chance` is uniform in [0, 1). */
export function backoffMs(backoff: Backoff, attempt: number, chance = 0): number {
  const plain = Math.min(backoff.initialMs * backoff.factor ** attempt, backoff.maxMs)
  return plain * (1 + (backoff.jitter ?? 0) * chance)
}
