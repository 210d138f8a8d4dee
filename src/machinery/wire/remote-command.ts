/** A remote command as its server sees it, whatever the protocol: what the client asked for, and the streams it got. */

import type { Readable, Writable } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import type { Status } from '../meta/api-error.ts'

export interface RemoteCommandWish {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** With a terminal there is no stderr: both outputs are one. */
  readonly tty: boolean
  readonly clock?: Clock | undefined
}

export interface TerminalSize {
  readonly width: number
  readonly height: number
}

export interface RemoteCommandStreams {
  /** Ends when the client closes its side. */
  readonly stdin?: Readable | undefined
  readonly stdout?: Writable | undefined
  readonly stderr?: Writable | undefined
  readonly resize?: AsyncIterable<TerminalSize> | undefined
  /** Ends the outputs, then sends the result and closes. Resolves when that is written or the client is gone. */
  exit(status: Status): Promise<void>
  /** Aborts when the client is gone. */
  readonly closed: AbortSignal
}
