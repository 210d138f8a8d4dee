import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createFakeClock, type FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import { createMetrics } from '../../base/metrics.ts'
import { createAuditMetrics } from './auditing.ts'
import { type LogFileSettings, openLogFile } from './log-file.ts'

let folder: string
let clock: FakeClock
const metrics = createMetrics()
const errors = createAuditMetrics(metrics)

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 't8s-audit-log-'))
  clock = createFakeClock(Date.parse('2026-11-21T09:45:00Z'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function open(more: Partial<LogFileSettings> = {}) {
  const settings = { path: join(folder, 'log', 'audit.log'), maxSize: 1, maxBackups: 0, maxAgeDays: 0, ...more }
  return openLogFile(settings, { clock, log: silentLogger, metrics: errors })
}

const event = (text: string) => ({ stage: 'ResponseComplete', text }) as const
const linesOf = async (name: string) => (await readFile(join(folder, 'log', name), 'utf8')).split('\n').slice(0, -1)

test('lines stand in the file in their order when the log is closed, and only its owner reads them', async () => {
  {
    await using log = await open()
    for (let count = 0; count < 1_000; count++) log.accept(event(`line ${count}`))
  }
  expect(await linesOf('audit.log')).toEqual(Array.from({ length: 1_000 }, (_, count) => `line ${count}`))
  expect((await stat(join(folder, 'log', 'audit.log'))).mode & 0o777).toBe(0o600)
})

test('a file that is there is continued', async () => {
  for (const text of ['first', 'second']) {
    await using log = await open()
    log.accept(event(text))
  }
  expect(await linesOf('audit.log')).toEqual(['first', 'second'])
})

test('a line that would make the file too large begins a new one; old ones go by number', async () => {
  for (let count = 0; count < 4; count++) {
    await using log = await open({ maxBackups: 2 })
    log.accept(event(`${count} ${'x'.repeat(600 * 1024)}`))
    await clock.advance(1_000)
  }
  const names = (await readdir(join(folder, 'log'))).toSorted()
  expect(names).toHaveLength(3)
  const firsts = await Promise.all(names.map(async (name) => (await linesOf(name)).map((line) => line.slice(0, 1))))
  expect(firsts).toEqual([['1'], ['2'], ['3']])
  expect(names[0]).toMatch(/^audit-2026-11-21T09-45-0\d\.000\.log$/)
})

test('what cannot be written is counted and nothing else', async () => {
  await mkdir(join(folder, 'log', 'audit.log'), { recursive: true })
  await expect(open()).rejects.toThrow('EISDIR')
  await rm(join(folder, 'log'), { recursive: true })
  const log = await open()
  log.accept(event('x'.repeat(1024 * 1024)))
  await log[Symbol.asyncDispose]()
  // A folder in the place of the file, so that the next rotation cannot make a new one.
  const broken = await open()
  await rm(join(folder, 'log'), { recursive: true })
  for (let count = 0; count < 3; count++) broken.accept(event('late'))
  await broken[Symbol.asyncDispose]()
  expect(await metrics.text()).toContain('apiserver_audit_error_total{plugin="log"} 3')
})

test('a disk that is too slow loses lines and holds nobody up', async () => {
  const log = await open({ maxSize: 100 })
  for (let count = 0; count < 20; count++) expect(log.accept(event('x'.repeat(1024 * 1024)))).toBe(true)
  await log[Symbol.asyncDispose]()
  const kept = (await linesOf('audit.log')).length
  expect(kept).toBe(15)
})
