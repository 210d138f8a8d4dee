/** Read, change, write; again from the start when somebody else wrote in between. */

import { isConflict } from '../machinery/meta/api-error.ts'

/** Attempts before the conflict is given to the caller: as client-go's default. */
const ATTEMPTS_MAX = 5

export async function retryOnConflict<T>(attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt()
    } catch (error) {
      if (attempts === ATTEMPTS_MAX || !isConflict(error)) throw error
    }
  }
}
