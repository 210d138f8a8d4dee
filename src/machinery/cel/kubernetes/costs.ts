/** What calls of Kubernetes' functions cost: some by the length of their text, most a nominal 1. */

import { COST_PER_CHARACTER, sizeForCost } from '../evaluate/actual-cost.ts'
import type { CelValue } from '../values.ts'

export const nominal = (): number => 1

export const perCharacter = ([text]: readonly CelValue[]): number => Math.ceil(sizeForCost(text) * COST_PER_CHARACTER)

export const perCharacterTwice = ([text]: readonly CelValue[]): number =>
  Math.ceil(sizeForCost(text) * 2 * COST_PER_CHARACTER)
