/**
 * How often the mutating plugins see one object: once, and once more when a plugin has changed it in a way that those
 * before it should know of. The value itself is what a plugin may remember things of a request by.
 */

export interface Rounds {
  readonly current: 'first' | 'second'
  /** Has the chain run once more, after its first round. */
  askForSecond(): void
}

export interface RoundsOfChain extends Rounds {
  readonly isSecondWanted: boolean
  startSecond(): void
}

export function createRounds(): RoundsOfChain {
  let current: Rounds['current'] = 'first'
  let isSecondWanted = false
  return {
    get current() {
      return current
    },
    get isSecondWanted() {
      return isSecondWanted
    },
    askForSecond() {
      isSecondWanted = true
    },
    startSecond() {
      current = 'second'
    },
  }
}
