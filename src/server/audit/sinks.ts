/** Several places to keep events as one: each gets all of them, and each must agree that a request may go on. */

import type { AuditSink } from './event.ts'

export function sinkUnion(sinks: readonly AuditSink[]): AuditSink {
  const [only] = sinks
  if (only && sinks.length === 1) return only
  return {
    async accept(event) {
      const accepted = await Promise.all(sinks.map((sink) => sink.accept(event)))
      return accepted.every(Boolean)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(sinks.map((sink) => sink[Symbol.asyncDispose]()))
    },
  }
}
