/**
 * Configuration files of the API server in upstream's formats: read strictly, so that a misspelled field of a policy
 * is an error and not a hole; read again when they change.
 */

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Clock, every } from '../../base/clock.ts'
import { messageOf } from '../../base/error-text.ts'
import type { FieldError } from '../../machinery/meta/field-error.ts'
import { ConfigError } from '../config-error.ts'
import { type Check, decodeStrictly, findingsIn } from '../documents/strict-document.ts'

/** Throws `ConfigError` with every finding. `Document` is the type that the check's schema describes. */
export async function readDocument<Document>(path: string, check: Check): Promise<Document> {
  return parseDocument<Document>(await read(path), path, check)
}

/** `path` is for messages. */
export async function parseDocument<Document>(text: string, path: string, check: Check): Promise<Document> {
  const document = decoded(text, path)
  const findings = findingsIn(document, check)
  if (findings.length > 0) throw invalid(path, findings)
  // What the schema describes.
  return document as Document
}

/** As text. Throws `ConfigError`. */
export async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`${path} cannot be read: ${messageOf(error)}`)
  }
}

export function invalid(path: string, findings: readonly string[]): ConfigError {
  return new ConfigError([`${path} cannot be used:`, ...findings.map((finding) => `  ${finding}`)].join('\n'))
}

/** Throws `ConfigError` with all that validation has found, if that is anything. */
export function refuseInvalid(path: string, errors: readonly FieldError[]): void {
  if (errors.length === 0) return
  throw invalid(
    path,
    errors.map(({ path: place, message }) => `${place}: ${message}`),
  )
}

/** The value of a YAML or JSON text. Throws `ConfigError`. */
export function decoded(text: string, path: string): unknown {
  try {
    return decodeStrictly(Buffer.from(text))
  } catch (error) {
    throw invalid(path, [messageOf(error)])
  }
}

/** How often files are looked at, in ms. */
const LOOK_MS = 1_000

/**
 * Calls `changed` with the new texts whenever one of the files has another text than before, until the signal aborts.
 * A file that cannot be read for the moment counts as unchanged: it may be in the middle of being replaced.
 */
export function followFiles(
  paths: readonly string[],
  clock: Clock,
  signal: AbortSignal,
  changed: () => Promise<void>,
): void {
  let before: Promise<readonly string[]> = texts(paths, [])
  every(clock, LOOK_MS, signal, async () => {
    const known = await before
    const now = await texts(paths, known)
    before = Promise.resolve(now)
    if (now.some((text, index) => text !== known[index])) await changed()
  })
}

function texts(paths: readonly string[], known: readonly string[]): Promise<readonly string[]> {
  return Promise.all(paths.map((path, index) => readFile(path, 'utf8').catch(() => known[index] ?? '')))
}

/** Paths within a document are relative to it. */
export function besides(document: string, path: string): string {
  return resolve(document, '..', path)
}
