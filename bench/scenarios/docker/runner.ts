/** Somebody who runs containers, and which ones. */

export const IMAGE = 't8s-bench/program:1'
/** Says a line, for logs, and ends at once when it is told to. */
export const COMMAND = ['sh', '-c', 'trap "exit 0" TERM; echo started; sleep 100000 & wait']

/** What runs containers, one way or the other. All times count from the call. */
export interface Runner extends AsyncDisposable {
  /** Resolves when all of them run. */
  run(names: readonly string[]): Promise<void>
  /** Resolves when they were told to end, have ended, and nothing is left of them. */
  remove(names: readonly string[]): Promise<void>
  /** Resolves with the first byte of a command that is run in it. */
  exec(name: string): Promise<void>
  /** Resolves with the first byte of what it has said. */
  logs(name: string): Promise<void>
}
