/** Keys that wait for one worker: a key waits once, and comes again a moment after it failed. */

const RETRY_MS = 500

export class WorkQueue {
  readonly #waiting = new Set<string>()
  readonly #work: (key: string) => Promise<void>
  #running: Promise<void> | undefined

  constructor(work: (key: string) => Promise<void>) {
    this.#work = work
  }

  add(key: string): void {
    this.#waiting.add(key)
    this.#running ??= this.#run()
  }

  /** Resolves when nothing is being worked on. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    for (const key of this.#waiting) {
      this.#waiting.delete(key)
      try {
        await this.#work(key)
      } catch (error) {
        console.error(`${key} is tried again`, error)
        setTimeout(() => this.add(key), RETRY_MS).unref()
      }
    }
    this.#running = undefined
  }
}
