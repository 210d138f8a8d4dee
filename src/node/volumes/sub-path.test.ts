import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { resolveSubPath } from './sub-path.ts'

let root = ''
let volume = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 't8s-sub-'))
  volume = join(root, 'volume')
  await mkdir(join(volume, 'inside'), { recursive: true })
  await mkdir(join(root, 'outside'))
  await writeFile(join(root, 'outside', 'secret'), 'secret')
})
afterEach(() => rm(root, { recursive: true, force: true }))

test('is the path where it exists, a directory or a file', async () => {
  await writeFile(join(volume, 'inside', 'file'), '')
  expect(await resolveSubPath(volume, 'inside')).toBe(join(volume, 'inside'))
  expect(await resolveSubPath(volume, 'inside/file')).toBe(join(volume, 'inside', 'file'))
})

test('is made where it does not', async () => {
  const made = await resolveSubPath(volume, 'new/er')
  expect(made).toBe(join(volume, 'new', 'er'))
  expect((await stat(made)).isDirectory()).toBe(true)
})

test('follows links that stay inside, to where they lead', async () => {
  await symlink('inside', join(volume, 'link'))
  expect(await resolveSubPath(volume, 'link')).toBe(join(volume, 'inside'))
})

describe('does not leave the volume', () => {
  for (const path of ['..', '../outside', 'inside/../../outside', '/etc', 'inside/..']) {
    test(`by ${path}`, async () => {
      await expect(resolveSubPath(volume, path)).rejects.toThrow(
        expect.objectContaining({ reason: 'CreateContainerConfigError' }),
      )
    })
  }

  test('by a link, absolute or relative, at the end or on the way', async () => {
    await symlink(join(root, 'outside'), join(volume, 'absolute'))
    await symlink('../outside', join(volume, 'relative'))
    await symlink('../../outside', join(volume, 'inside', 'deep'))
    for (const path of [
      'absolute',
      'relative',
      'absolute/secret',
      'inside/deep/secret',
      'absolute/new',
      'relative/a/b',
    ])
      await expect(resolveSubPath(volume, path)).rejects.toThrow(/leaves the volume/)
    expect(await readdir(join(root, 'outside'))).toEqual(['secret'])
  })

  test('by a link that leads to nothing', async () => {
    await symlink(join(root, 'outside', 'later'), join(volume, 'dangling'))
    await expect(resolveSubPath(volume, 'dangling/new')).rejects.toThrow()
    expect(await readdir(join(root, 'outside'))).toEqual(['secret'])
  })
})
