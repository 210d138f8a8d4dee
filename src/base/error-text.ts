/** What was thrown, as text: anything may be thrown, not only errors. */

/** For people. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** For logs, where the place matters. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
