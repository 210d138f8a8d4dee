/**
 * A real disk that is full for a while: a small ext4 file system in a file. The storage says that it is read-only, takes
 * writes again by itself once there is space, and after a kill everything that was ever acknowledged is there.
 * Needs root, mkfs.ext4 and loop devices.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { silentLogger } from '../../src/base/log.ts'
import { openLevelStorage } from '../../src/storage/level-storage.ts'
import { checkStorage } from '../../src/storage/storage-tools.ts'

const DISK_BYTES = 128 * 1024 * 1024

/** Left for the storage when the disk is filled up: it is used up within a second. */
const LEFT_BYTES = 4 * 1024 * 1024

const missing = whyNotHere()

describe.skipIf(missing !== undefined)(`a full disk${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  const place = join(tmpdir(), `t8s-disk-full-${process.pid}`)
  const mountPoint = join(place, 'mounted')
  const directory = join(mountPoint, 'storage')
  const ballast = join(mountPoint, 'ballast')
  let child: ChildProcess | undefined

  beforeAll(async () => {
    mkdirSync(mountPoint, { recursive: true })
    const image = join(place, 'image')
    await writeFile(image, '')
    await truncate(image, DISK_BYTES)
    execFileSync('mkfs.ext4', ['-q', '-m', '0', image])
    execFileSync('mount', ['-o', 'loop', image, mountPoint])
  })

  afterAll(async () => {
    if (child && child.exitCode === null && child.signalCode === null) await kill(child)
    execFileSync('umount', [mountPoint])
    await rm(place, { recursive: true })
  })

  test('makes the storage read-only; with space it is writable again, and nothing acknowledged is lost', async () => {
    const writer = startWriter(directory)
    child = writer.process
    await writer.reaches(() => writer.modes.length === 1)
    const freeBytes = Number(execFileSync('stat', ['-f', '-c', '%f', mountPoint])) * blockBytes(mountPoint)
    execFileSync('fallocate', ['-l', `${freeBytes - LEFT_BYTES}`, ballast])
    await writer.reaches(() => writer.modes.at(-1) === 'read-only')
    await rm(ballast)
    const refusedAt = writer.lines.length
    await writer.reaches(() => writer.modes.at(-1) === 'writable' && writer.lines.length > refusedAt + 100)
    await kill(writer.process)

    const acknowledged = writer.acknowledged()
    expect(writer.modes).toEqual(['writable', 'read-only', 'writable'])
    {
      await using storage = await openLevelStorage({ directory, log: silentLogger, clock: systemClock })
      for (const [key, { revision, value }] of acknowledged) {
        const entry = await storage.get(key)
        expect(entry?.modified, key).toBeGreaterThanOrEqual(revision)
        if (entry?.modified === revision) expect(Buffer.from(entry.value).toString()).toBe(value)
      }
      const outcome = await storage.transact([], [{ type: 'put', key: 'after', value: Buffer.from('x') }])
      expect(outcome).toEqual({ result: 'committed', revision: storage.head })
    }
    expect((await checkStorage(directory)).problems).toEqual([])
  })
})

function startWriter(directory: string) {
  const script = join(import.meta.dirname, 'storage-writer.ts')
  const child = spawn(process.execPath, [script, directory, '1'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  const columns = () => lines.map((line) => line.split(' '))
  return {
    process: child,
    lines,
    get modes() {
      return columns().flatMap(([first, mode = '']) => (first === 'mode' ? [mode] : []))
    },
    reaches: (condition: () => boolean) => expect.poll(condition, { timeout: 60_000 }).toBe(true),
    /** The newest acknowledgement of each key. */
    acknowledged: () => {
      const whole = columns().filter((parts) => parts.length === 3)
      return new Map(whole.map(([revision, key = '', value = '']) => [key, { revision: Number(revision), value }]))
    },
  }
}

async function kill(child: ChildProcess): Promise<void> {
  const closed = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGKILL')
  await closed
}

function blockBytes(path: string): number {
  return Number(execFileSync('stat', ['-f', '-c', '%S', path]))
}

/** Why this machine cannot mount a file as a disk; undefined when it can. */
function whyNotHere(): string | undefined {
  if (process.getuid?.() !== 0) return 'mounting needs root'
  const place = mkdtempSync(join(tmpdir(), 't8s-loop-'))
  try {
    execFileSync('mkfs.ext4', ['-q', join(place, 'image'), '1M'], { stdio: 'ignore' })
    mkdirSync(join(place, 'mounted'))
    execFileSync('mount', ['-o', 'loop', join(place, 'image'), join(place, 'mounted')], { stdio: 'ignore' })
    execFileSync('umount', [join(place, 'mounted')])
    return undefined
  } catch {
    return 'there is no mkfs.ext4, or no loop device'
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
