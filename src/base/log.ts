/** The log as a dependency: no global logger. `createLogger` writes JSON lines through pino. */

import { pino } from 'pino'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, unknown>>

export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A logger whose lines carry `fields` too. */
  child(fields: LogFields): Logger
}

export interface LogOptions {
  readonly level: LogLevel
  /** A file, or a descriptor: 1 is standard output, 2 standard error. */
  readonly destination: string | number
}

export function createLogger({ level, destination }: LogOptions): Logger {
  const stream = pino.destination({ dest: destination, sync: true, mkdir: true })
  return overPino(pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream))
}

function overPino(target: pino.Logger): Logger {
  return {
    debug: (message, fields) => target.debug(fields ?? {}, message),
    info: (message, fields) => target.info(fields ?? {}, message),
    warn: (message, fields) => target.warn(fields ?? {}, message),
    error: (message, fields) => target.error(fields ?? {}, message),
    child: (fields) => overPino(target.child(fields)),
  }
}

export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
}
