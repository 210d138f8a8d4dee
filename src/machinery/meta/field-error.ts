/**
 * Validation failures with the path of the field. Validators collect them and never throw; the registry
 * turns a non-empty list into a 422 `Invalid`. Wording and reasons: apimachinery's `field` package.
 */

export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooShort'
  | 'FieldValueTooMany'
  | 'FieldValueTooFew'
  | 'InternalError'
  | 'FieldValueTypeInvalid'

export interface FieldError {
  readonly type: FieldErrorType
  /** As clients see it: `spec.containers[0].ports[1].hostPort`, `metadata.labels[a/b]`. */
  readonly path: string
  /** Without the path: `Required value: must be …`. */
  readonly message: string
}

/**
 * A place in an object, printed as the API prints it. Immutable; `child` and `index` make deeper ones. Validation makes
 * hundreds of them for an object that is right, so the text is put together when somebody reads it.
 */
export class FieldPath {
  readonly #step: string | number
  readonly #parent: FieldPath | undefined
  readonly #isKey: boolean

  /** A field, an index in a list or, with `isKey`, a key of a map; without a parent a whole text. */
  constructor(step: string | number, parent?: FieldPath, isKey = false) {
    this.#step = step
    this.#parent = parent
    this.#isKey = isKey
  }

  get text(): string {
    const step = this.#step
    const before = this.#parent?.text ?? ''
    if (this.#isKey || typeof step === 'number') return `${before}[${step}]`
    return before === '' ? step : `${before}.${step}`
  }

  child(name: string, inner?: string, innermost?: string): FieldPath {
    const path = new FieldPath(name, this)
    return inner === undefined ? path : path.child(inner, innermost)
  }

  index(position: number): FieldPath {
    return new FieldPath(position, this)
  }

  key(name: string): FieldPath {
    return new FieldPath(name, this, true)
  }

  toString(): string {
    return this.text
  }
}

export const rootPath = new FieldPath('')

/** Upstream's JSON encoder writes these characters so, in composite values only. */
const HTML_ESCAPES: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' }

/** Upstream quotes control characters that JSON has no letter for as Go does: `\a`, `\v`, `\x01`. */
function escapeText(written: string, code: string | undefined): string {
  if (code === undefined) return written
  return code === '07' ? '\\a' : code === '0b' ? '\\v' : `\\x${code}`
}

/** A value in a message, printed as upstream prints it: strings quoted, numbers and booleans bare, the rest as JSON. */
function printed(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value !== 'object') return JSON.stringify(value).replace(/\\(?:u00([01][0-9a-f])|.)/g, escapeText)
  return JSON.stringify(value).replace(/[<>&]/g, (character) => HTML_ESCAPES[character] ?? character)
}

export function required(path: FieldPath, detail = ''): FieldError {
  return { type: 'FieldValueRequired', path: path.text, message: withDetail('Required value', detail) }
}

export function invalidValue(path: FieldPath, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueInvalid', path: path.text, message: withDetail(`Invalid value: ${printed(value)}`, detail) }
}

/** The same where the value would say nothing that the detail does not. */
export function invalidField(path: FieldPath, detail: string): FieldError {
  return { type: 'FieldValueInvalid', path: path.text, message: withDetail('Invalid value', detail) }
}

export function typeInvalid(path: FieldPath, value: unknown, detail: string): FieldError {
  return {
    type: 'FieldValueTypeInvalid',
    path: path.text,
    message: withDetail(`Invalid value: ${printed(value)}`, detail),
  }
}

export function duplicate(path: FieldPath, value: unknown): FieldError {
  return { type: 'FieldValueDuplicate', path: path.text, message: `Duplicate value: ${printed(value)}` }
}

export function notFoundValue(path: FieldPath, value: unknown, detail = ''): FieldError {
  return { type: 'FieldValueNotFound', path: path.text, message: withDetail(`Not found: ${printed(value)}`, detail) }
}

export function notSupported(path: FieldPath, value: unknown, supported: readonly string[]): FieldError {
  const choices = supported.map((choice) => JSON.stringify(choice)).join(', ')
  const detail = choices === '' ? '' : `supported values: ${choices}`
  return {
    type: 'FieldValueNotSupported',
    path: path.text,
    message: withDetail(`Unsupported value: ${printed(value)}`, detail),
  }
}

export function forbidden(path: FieldPath, detail: string): FieldError {
  return { type: 'FieldValueForbidden', path: path.text, message: withDetail('Forbidden', detail) }
}

/** `limit` in bytes. The value is not repeated: it may be huge. */
export function tooLong(path: FieldPath, limit: number): FieldError {
  const unit = limit === 1 ? 'byte' : 'bytes'
  return { type: 'FieldValueTooLong', path: path.text, message: `Too long: may not be more than ${limit} ${unit}` }
}

export function tooShort(path: FieldPath, limit: number): FieldError {
  const unit = limit === 1 ? 'character' : 'characters'
  return { type: 'FieldValueTooShort', path: path.text, message: `Too short: must be at least ${limit} ${unit}` }
}

export function tooMany(path: FieldPath, actual: number, limit: number): FieldError {
  return {
    type: 'FieldValueTooMany',
    path: path.text,
    message: `Too many: ${actual}: must have at most ${limit} ${limit === 1 ? 'item' : 'items'}`,
  }
}

/** The text of one finding, and of several: `a`, `[a, b]`; equal ones are said once. */
export function fieldErrorsText(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map(({ path, message }) => `${path}: ${message}`))]
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`
}

function withDetail(text: string, detail: string): string {
  return detail === '' ? text : `${text}: ${detail}`
}
