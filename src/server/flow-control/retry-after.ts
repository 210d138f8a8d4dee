/**
 * After how many seconds those who were turned away should come again, by how many they were of late: doubled when
 * too many came, one less when few did, as TCP treats its window. Numbers are upstream's.
 */

const SECONDS_MAX = 32
/** Per second of waiting: from so many on, the next ones wait for longer. */
const REFUSED_MANY = 3

export class RetryAfter {
  #seconds = 1
  #raisedAt = 0
  #now = 0
  #count = 0
  /** Seconds before the present one in which somebody was turned away; none is older than `SECONDS_MAX`. */
  #past: { readonly at: number; readonly count: number }[] = []

  /** Somebody is turned away; answers the seconds to tell them. */
  refused(nowMs: number): number {
    const now = Math.floor(nowMs / 1_000)
    if (now !== this.#now) {
      this.#past.push({ at: this.#now, count: this.#count })
      this.#now = now
      this.#count = 0
      this.#past = this.#past.filter(({ at }) => now - at <= SECONDS_MAX)
      this.#adjust(now)
    }
    this.#count++
    return this.#seconds
  }

  #adjust(now: number): void {
    const seconds = this.#seconds
    const recent = this.#past.reduce((sum, { at, count }) => (now - at <= seconds ? sum + count : sum), 0)
    if (recent >= REFUSED_MANY * seconds && now - this.#raisedAt >= seconds) {
      this.#seconds = Math.min(SECONDS_MAX, seconds * 2)
      this.#raisedAt = now
    } else if (recent < seconds && seconds > 1) this.#seconds--
  }
}
