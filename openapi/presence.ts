/**
 * Which JSON fields are written although nobody set them, from the flags of the protobuf facts: a field
 * flagged `!`, and a message that is neither a pointer nor flagged `oz`, are always written.
 */

import type { MessageFacts } from './facts.ts'

export interface Presence {
  readonly always: boolean
  /** Set and unset are different things even for zero values. */
  readonly pointer: boolean
}

const SCALARS: ReadonlySet<string> = new Set(['string', 'bool', 'bytes', 'int32', 'int64', 'double'])

/** By JSON name, with embedded structs flattened; empty for definitions that have no message. */
export function presenceOf(messages: MessageFacts, definition: string): ReadonlyMap<string, Presence> {
  const presence = new Map<string, Presence>()
  for (const field of messages[definition] ?? []) {
    const [, name = '', type = '', ...flags] = field.split(' ')
    if (flags.includes('~')) {
      for (const [inner, value] of presenceOf(messages, type)) presence.set(inner, value)
      continue
    }
    const pointer = flags.includes('*')
    const message = !SCALARS.has(type) && !/^(\[\]|\{\})/.test(type) && !isListMessage(type)
    presence.set(name, { pointer, always: flags.includes('!') || (message && !pointer && !flags.includes('oz')) })
  }
  return presence
}

/** Messages that are lists of strings in JSON. */
function isListMessage(type: string): boolean {
  return type.endsWith('.ExtraValue') || type === 'meta.v1.Verbs'
}
