/**
 * What went wrong, for people and scripts: a sentence, why it matters, the next commands, a stable reason and an exit
 * code. `failureOf` is the only translator of other errors.
 */

import { ConfigError } from '../cluster/config-error.ts'
import { ApiError } from '../machinery/meta/api-error.ts'

/** Exit codes by reason. The reasons are stable; the texts are not. */
const EXIT_CODES = {
  NotRunning: 1,
  Usage: 2,
  NotFound: 2,
  ConfigInvalid: 2,
  KubeconfigInvalid: 2,
  PortInUse: 3,
  AlreadyRunning: 3,
  RangeInUse: 3,
  DockerUnavailable: 4,
  RootRequired: 4,
  DiskFull: 4,
  PermissionDenied: 4,
  Timeout: 5,
  ApiError: 6,
  StartFailed: 70,
  Internal: 70,
} as const

export type Reason = keyof typeof EXIT_CODES

/** A command to try, and what it does. */
export type NextStep = readonly [command: string, purpose: string]

export interface FailureText {
  readonly reason: Reason
  /** One sentence: what is wrong. */
  readonly message: string
  /** One sentence: why that matters. */
  readonly detail?: string | undefined
  readonly next?: readonly NextStep[] | undefined
}

export class Failure extends Error {
  override readonly name = 'Failure'
  readonly text: FailureText

  constructor(text: FailureText, cause?: unknown) {
    super(text.message, { cause })
    this.text = text
  }

  get exitCode(): number {
    return EXIT_CODES[this.text.reason]
  }
}

/** Every error as a failure; what nobody foresaw is `Internal`. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof ConfigError) return new Failure({ reason: 'ConfigInvalid', message }, error)
  if (error instanceof ApiError)
    return new Failure({ reason: 'ApiError', message, next: [['t8s status', 'is it well?']] }, error)
  return new Failure(knownText(error, message), error)
}

const LOGS: NextStep = ['t8s logs', 'what it says itself']

function knownText(error: unknown, message: string): FailureText {
  switch (nameOf(error)) {
    case 'StorageInUse':
      return { reason: 'AlreadyRunning', message: `${message}.`, next: [['t8s status', 'is the cluster running?']] }
    case 'DockerUnavailable':
      return dockerUnavailable(message)
    case 'KubeconfigInvalid':
      return { reason: 'KubeconfigInvalid', message: `The kubeconfig cannot be read: ${message}` }
    case 'Corrupt':
      return {
        reason: 'StartFailed',
        message: `The stored state is damaged: ${message}`,
        next: [['t8s down', 'delete it and begin anew'], LOGS],
      }
  }
  switch (codeOf(error)) {
    case 'ENOSPC':
      return { reason: 'DiskFull', message: `The disk is full: ${message}`, next: [['t8s doctor', 'what is missing?']] }
    case 'EACCES':
    case 'EPERM':
      return { reason: 'PermissionDenied', message: `Permission denied: ${message}`, next: [['t8s doctor', '']] }
    case 'EADDRINUSE':
      return { reason: 'PortInUse', message: `${message}.`, next: [['t8s up --port=0', 'use any free port']] }
    default:
      return { reason: 'Internal', message, next: [LOGS, ['t8s doctor', 'what is wrong here?']] }
  }
}

export function dockerUnavailable(message: string): FailureText {
  const denied = /EACCES|permission denied/i.test(message)
  return {
    reason: 'DockerUnavailable',
    message: message.endsWith('.') ? message : `${message}.`,
    next: [
      denied
        ? ['sudo usermod -aG docker "$USER"', 'then sign in again']
        : ['sudo systemctl start docker', 'start the engine'],
      ['t8s up --simulated', 'no Docker needed, pods are simulated'],
    ],
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : ''
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
