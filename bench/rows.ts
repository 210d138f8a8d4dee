/** The rows of the benchmark, in the order they run. */

import { idle } from './idle.ts'
import { requests } from './requests.ts'
import type { Row } from './row.ts'
import { schedule } from './schedule.ts'
import { startup } from './startup.ts'
import { watchFanOut } from './watch-fan-out.ts'

export const ROWS: readonly Row[] = [startup, idle, requests, watchFanOut, schedule]
