/** Bytes of the heap that are in use, garbage aside. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

export function liveHeapBytes(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
