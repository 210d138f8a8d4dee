/**
 * The child of the kill and disk-full tests: opens the storage and writes until it is killed. On standard output one
 * line per acknowledgement, `<revision> <key> <value>`, and one, `mode …`, whenever the mode changes; written
 * synchronously: what was printed happened before.
 */

import { writeSync } from 'node:fs'
import { systemClock } from '../../src/base/clock.ts'
import { silentLogger } from '../../src/base/log.ts'
import { randomInteger, seededRandom } from '../../src/base/random.ts'
import { openLevelStorage } from '../../src/storage/level-storage.ts'
import { ReadOnly } from '../../src/storage/storage.ts'

/** Writers at a time: so that batches have several transactions. */
const WRITERS = 8
const KEYS = 50
const RETRY_MS = 20

const [directory = '', seed = '0'] = process.argv.slice(2)
const random = seededRandom(Number(seed))
// A short history, so that compaction is killed too.
const storage = await openLevelStorage({ directory, log: silentLogger, clock: systemClock, historyMs: 100 })
writeSync(1, 'open\n')

let said = ''

function sayMode(): void {
  if (said === storage.mode.mode) return
  said = storage.mode.mode
  writeSync(1, `mode ${said}\n`)
}

async function write(writer: number): Promise<void> {
  for (let count = 0; ; count++) {
    const key = `k${randomInteger(random, KEYS)}`
    const value = `${seed}/${writer}/${count}/${'x'.repeat(randomInteger(random, 2_000))}`
    const writes = [key, `twin/${key}`].map((name) => ({ type: 'put', key: name, value: Buffer.from(value) }) as const)
    const outcome = await storage.transact([], writes).catch((error: unknown) => {
      if (error instanceof ReadOnly) return { result: 'refused' } as const
      throw error
    })
    sayMode()
    if (outcome.result === 'refused') await systemClock.sleep(RETRY_MS)
    if (outcome.result === 'committed') writeSync(1, `${outcome.revision} ${key} ${value}\n`)
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)))
