import { mkdir, mkdtemp, open, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeAtomically } from './atomic-writer.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 't8s-writer-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const write = (files: Readonly<Record<string, string>>, mode = 0o644) =>
  writeAtomically(
    directory,
    new Map(Object.entries(files).map(([path, text]) => [path, { data: Buffer.from(text), mode }])),
    '2026_01_01_00_00_00',
    async () => {},
  )
const visible = async () => (await readdir(directory)).filter((name) => !name.startsWith('..')).sort()
const read = (path: string) => readFile(join(directory, path), 'utf8')

test('files are links into the version that counts', async () => {
  await write({ one: '1', 'deep/er/two': '2' })
  expect(await visible()).toEqual(['deep', 'one'])
  expect(await readlink(join(directory, 'one'))).toBe('..data/one')
  expect(await readlink(join(directory, '..data'))).toMatch(/^\.\.2026_01_01_00_00_00\./)
  expect([await read('one'), await read('deep/er/two')]).toEqual(['1', '2'])
})

test('modes do not depend on the umask', async () => {
  await write({ one: '1' }, 0o666)
  expect((await stat(join(directory, 'one'))).mode & 0o777).toBe(0o666)
  expect((await stat(join(directory, '..data'))).mode & 0o777).toBe(0o755)
})

test('a new version replaces all of the one before and leaves nothing of it', async () => {
  await write({ one: '1', gone: 'x' })
  await write({ one: '10', three: '3' })
  expect(await visible()).toEqual(['one', 'three'])
  expect(await read('one')).toBe('10')
  expect((await readdir(directory)).filter((name) => name.startsWith('..'))).toHaveLength(2)
})

test('the same files are not written again', async () => {
  await write({ one: '1' })
  const version = await readlink(join(directory, '..data'))
  await write({ one: '1' })
  expect(await readlink(join(directory, '..data'))).toBe(version)
})

test('no files are a version, too', async () => {
  await write({ one: '1' })
  await write({})
  expect(await visible()).toEqual([])
})

test('what a writer left that was killed does not stand in the way', async () => {
  await mkdir(join(directory, '..2025_12_31.half'))
  await writeFile(join(directory, '..2025_12_31.half', 'one'), 'half')
  await symlink('..2025_12_31.half', join(directory, '..data_tmp'))
  await write({ one: '1' })
  expect(await read('one')).toBe('1')
  expect((await readdir(directory)).filter((name) => name.startsWith('..'))).toHaveLength(2)
})

test('who opened a file of the old version goes on reading it', async () => {
  await write({ one: '1' })
  await using file = await open(join(directory, 'one'))
  await write({ one: '2' })
  expect((await file.readFile()).toString()).toBe('1')
})
