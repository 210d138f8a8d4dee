/** One at a time per name, in the order of asking: who charges the same quotas waits instead of trying in vain. */

export interface Turns {
  take<Result>(name: string, act: () => Promise<Result>): Promise<Result>
}

/** It holds an entry per name that somebody acts on, and as many waiters as there are requests in flight. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>()
  return {
    take(name, act) {
      const turn = (last.get(name) ?? Promise.resolve()).then(act, act)
      last.set(name, turn)
      const done = () => {
        if (last.get(name) === turn) last.delete(name)
      }
      turn.then(done, done)
      return turn
    },
  }
}
