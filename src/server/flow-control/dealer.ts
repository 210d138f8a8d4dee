/**
 * Shuffle sharding: which queues a flow may use. Two flows seldom have the same hand, so a flow that fills its own
 * queues leaves every other one some that are not full.
 */

import { createHash } from 'node:crypto'

/** Drawn from a hash, so that it is the same in every server. */
export function dealHand(schema: string, distinguisher: string, queues: number, handSize: number): readonly number[] {
  const digest = createHash('sha256').update(schema).update('\0').update(distinguisher).digest()
  let entropy = digest.readBigUInt64LE(0)
  const hand: number[] = []
  for (let dealt = 0; dealt < Math.min(handSize, queues); dealt++) {
    const left = BigInt(queues - dealt)
    hand.push(cardAt(Number(entropy % left), hand))
    entropy /= left
  }
  return hand
}

/** The card at this place of the deck, from which the dealt ones are gone. */
function cardAt(place: number, dealt: readonly number[]): number {
  let card = place
  for (const gone of dealt.toSorted((left, right) => left - right)) if (card >= gone) card++
  return card
}
