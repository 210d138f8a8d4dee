/**
 * Files that are read again when they change. One that cannot be used is logged and changes nothing; configurations are
 * counted besides, under upstream's names.
 */

import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/error-text.ts'
import type { Logger } from '../../base/log.ts'
import type { Metrics } from '../../base/metrics.ts'
import { followFiles } from './config-document.ts'

export interface FollowedFile {
  readonly path: string
  /** As the log calls it: `authorization configuration`. */
  readonly name: string
  readonly environment: { readonly clock: Clock; readonly log: Logger }
  readonly signal: AbortSignal
  readonly count?: ReloadCount | undefined
}

export type ReloadCount = (status: 'success' | 'failure') => void

/** `load` reads the file and puts what it says in place, or throws. */
export function reload(file: FollowedFile, load: () => Promise<void>): void {
  reloadInTurn(file, async (used) => {
    await load()
    used()
  })
}

/** The same for what is in use some time after it was read: `used` is called then, and not at all when it never is. */
export function reloadInTurn(file: FollowedFile, load: (used: () => void) => Promise<void>): void {
  const { path, name, environment, signal, count } = file
  const { clock, log } = environment
  const used = () => {
    count?.('success')
    log.info(`the ${name} was read again`, { path })
  }
  followFiles([path], clock, signal, async () => {
    try {
      await load(used)
    } catch (error) {
      count?.('failure')
      log.error(`the new ${name} is not used`, { path, error: messageOf(error) })
    }
  })
}

export function reloadCount(
  metrics: Metrics,
  clock: Clock,
  subject: 'authentication' | 'authorization' | 'encryption',
): ReloadCount {
  const named = (name: string) => `apiserver_${subject}_config_controller_${name}`
  const total = metrics.counter(
    named('automatic_reloads_total'),
    `Times that the ${subject} configuration was read again, by whether it could be used.`,
    ['status'],
  )
  const last = metrics.gauge(
    named('automatic_reload_last_timestamp_seconds'),
    `When the ${subject} configuration was last read again, by whether it could be used.`,
    ['status'],
  )
  return (status) => {
    total({ status })
    last({ status }, clock.now() / 1_000)
  }
}
