/** Kills a writing process at random moments, again and again: what it had acknowledged is there, whole and in order. */

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { silentLogger } from '../../src/base/log.ts'
import { randomInteger, seededRandom, systemRandom } from '../../src/base/random.ts'
import { openLevelStorage } from '../../src/storage/level-storage.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { checkStorage } from '../../src/storage/storage-tools.ts'

const KILLS = 200
const WORKERS = 2

/** Until well into writing and compacting, in ms. */
const KILL_AFTER_MS_MAX = 120

interface Acknowledged {
  readonly revision: number
  readonly key: string
  readonly value: string
}

test(`nothing acknowledged is lost or torn by ${KILLS} kills`, async () => {
  const seed = Number(process.env.SEED ?? randomInteger(systemRandom, 2 ** 31))
  const workers = Array.from({ length: WORKERS }, (_, worker) => killAgainAndAgain(seed + worker, KILLS / WORKERS))
  const acknowledged = await Promise.all(workers)
  // The control: kills that hit nothing would prove nothing.
  expect(Math.min(...acknowledged), `SEED=${seed}`).toBeGreaterThan(KILLS)
})

async function killAgainAndAgain(seed: number, kills: number): Promise<number> {
  const random = seededRandom(seed)
  const directory = await mkdtemp(join(tmpdir(), 't8s-kill-'))
  const newest = new Map<string, Acknowledged>()
  let head = 0
  let acknowledged = 0
  try {
    for (let round = 0; round < kills; round++) {
      // Every fourth kill counts from the start of the process, and so meets it opening and recovering.
      const from = round % 4 === 3 ? 'start' : 'open'
      const lines = await writeUntilKilled(directory, seed + round, from, randomInteger(random, KILL_AFTER_MS_MAX))
      for (const line of lines) newest.set(line.key, line)
      acknowledged += lines.length
      await using storage = await openLevelStorage({
        directory,
        log: silentLogger,
        clock: systemClock,
        historyMs: Infinity,
      })
      const what = `SEED=${seed}, round ${round}`
      expect(storage.head, what).toBeGreaterThanOrEqual(Math.max(head, lines.at(-1)?.revision ?? 0))
      head = storage.head
      await verify(storage, newest, what)
    }
    expect(await checkStorage(directory)).toMatchObject({ problems: [], head })
  } finally {
    await rm(directory, { recursive: true })
  }
  return acknowledged
}

/** The acknowledgements, in order of their revisions. */
async function writeUntilKilled(
  directory: string,
  seed: number,
  from: 'start' | 'open',
  afterMs: number,
): Promise<readonly Acknowledged[]> {
  const script = join(import.meta.dirname, 'storage-writer.ts')
  const child = spawn(process.execPath, [script, directory, `${seed}`], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  const killSoon = () => setTimeout(() => child.kill('SIGKILL'), afterMs)
  if (from === 'start') killSoon()
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (output === '' && from === 'open') killSoon()
    output += chunk
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  expect(code, 'the writer is killed and does not end by itself').toBeNull()
  const complete = output.slice(0, output.lastIndexOf('\n')).split('\n').slice(1)
  return complete.flatMap((line) => {
    const [revision, key = '', value = ''] = line.split(' ')
    return line === '' || revision === 'mode' ? [] : [{ revision: Number(revision), key, value }]
  })
}

async function verify(storage: Storage, newest: ReadonlyMap<string, Acknowledged>, what: string): Promise<void> {
  const { entries } = await storage.list('')
  const stored = new Map(entries.map((entry) => [entry.key, entry]))
  for (const { key, revision, value } of newest.values()) {
    const entry = stored.get(key)
    expect(entry?.modified ?? 0, `${what}: ${key}`).toBeGreaterThanOrEqual(revision)
    if (entry?.modified === revision) expect(Buffer.from(entry.value).toString(), what).toBe(value)
  }
  for (const { key, value, modified } of entries) {
    if (key.startsWith('twin/')) continue
    const twin = stored.get(`twin/${key}`)
    expect([twin?.modified, Buffer.compare(twin?.value ?? new Uint8Array(), value)], what).toEqual([modified, 0])
  }
}
