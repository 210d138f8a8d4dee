/**
 * How often the mutating plugins see one object: once, and once more when a plugin has changed it in a way that those
 * before it should know of. The value itself is what a plugin may remember things of a request by.
 */

export interface Rounds {
  readonly current: 'first' | 'second'
  /** Has the chain run once more, after its first round. */
  askForSecond(): void
}

export class RoundsOfChain implements Rounds {
  current: Rounds['current'] = 'first'
  isSecondWanted = false

  askForSecond(): void {
    this.isSecondWanted = true
  }

  startSecond(): void {
    this.current = 'second'
  }
}
