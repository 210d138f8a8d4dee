/** The memory that bodies of requests may take together: each of them has a limit, and callers can be many. */

import { tooManyRequests } from '../machinery/meta/api-error.ts'

const RETRY_AFTER_SECONDS = 1

export class BodyBudget {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  /** Throws 429 when there is not so much left. What was taken is to be given back. */
  take(bytes: number): void {
    if (bytes > this.#left)
      throw tooManyRequests('the server is reading as many request bodies as it can hold', RETRY_AFTER_SECONDS)
    this.#left -= bytes
  }

  give(bytes: number): void {
    this.#left += bytes
  }
}
