/** Programmer errors: always on, never used for what a user or the machine may do wrong. */

export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** `message`: a function where making the text would cost more than the check. */
export function assert(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new AssertionError(typeof message === 'string' ? message : message())
}

/** Ends a `switch` over a union; the compiler complains when a member is missing. */
export function assertNever(value: never, message = 'unexpected value'): never {
  throw new AssertionError(`${message}: ${JSON.stringify(value)}`)
}
