/** When waiting events are sent: as soon as there are enough for one batch, or after a while; not too often. Pure. */

export interface BatchLimits {
  /** Events that wait; further ones are lost. */
  readonly bufferEventsMax: number
  readonly batchEventsMax: number
  /** How long the first of a batch waits for others, in ms. */
  readonly waitMsMax: number
  readonly batchesPerSecond: number
  /** Batches that may be sent at once after a quiet time. */
  readonly burst: number
}

/** Upstream's. */
export const USUAL_BATCHES: BatchLimits = {
  bufferEventsMax: 10_000,
  batchEventsMax: 400,
  waitMsMax: 30_000,
  batchesPerSecond: 10,
  burst: 15,
}

/** A bucket of the right to send: filled over time, emptied by sending. */
export interface Allowance {
  readonly left: number
  readonly atMs: number
}

/** The allowance after one batch more, and how long that batch has to wait. */
export function spend(
  { left, atMs }: Allowance,
  nowMs: number,
  { batchesPerSecond, burst }: Pick<BatchLimits, 'batchesPerSecond' | 'burst'>,
): { readonly allowance: Allowance; readonly waitMs: number } {
  const refilled = Math.min(burst, left + ((nowMs - atMs) * batchesPerSecond) / 1_000)
  const after = refilled - 1
  return { allowance: { left: after, atMs: nowMs }, waitMs: after >= 0 ? 0 : (-after * 1_000) / batchesPerSecond }
}
