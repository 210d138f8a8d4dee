/** Every case, by theme. */

import type { Theme } from '../case.ts'
import { getting, listing } from './reading.ts'
import { creating, updating } from './writing.ts'

export const THEMES: readonly Theme[] = [getting, listing, creating, updating]
