import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../base/clock.ts'
import {
  currentContextOf,
  hasEntry,
  type KubeconfigEntry,
  withCurrentContext,
  withEntry,
} from '../client/kubeconfig.ts'
import { kubeconfigPaths, mergeEntry, removeEntry } from './kubeconfig-file.ts'

const clock = systemClock
const entry = (name: string): KubeconfigEntry => ({
  name,
  server: `https://${name}`,
  certificateAuthority: 'CA',
  clientCertificate: 'CERTIFICATE',
  clientKey: 'KEY',
})

function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), 't8s-kubeconfig-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return directory
}

const read = (path: string) => readFileSync(path, 'utf8')

test('makes a missing file, private to the user, and selects the context', async () => {
  const path = join(folder(), 'deep', 'config')
  expect(await mergeEntry([path], entry('t8s'), { select: true, clock })).toEqual({ path })
  expect(currentContextOf(read(path))).toBe('t8s')
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('remembers the context that was current, and brings it back', async () => {
  const path = join(folder(), 'config')
  const before = withCurrentContext(withEntry('', entry('prod')), 'prod')
  writeFileSync(path, before)
  const { previousContext } = await mergeEntry([path], entry('t8s'), { select: true, clock })
  expect(previousContext).toBe('prod')
  await removeEntry([path], 't8s', { previousContext, clock })
  expect(read(path)).toBe(before)
})

test('does not go back to a context that is gone', async () => {
  const path = join(folder(), 'config')
  await mergeEntry([path], entry('t8s'), { select: true, clock })
  await removeEntry([path], 't8s', { previousContext: 'prod', clock })
  expect(currentContextOf(read(path))).toBeUndefined()
})

test('leaves the current context alone when it is no longer ours', async () => {
  const path = join(folder(), 'config')
  await mergeEntry([path], entry('t8s'), { select: true, clock })
  writeFileSync(path, withCurrentContext(read(path), 'other'))
  await removeEntry([path], 't8s', { previousContext: 'prod', clock })
  expect(currentContextOf(read(path))).toBe('other')
})

test('of several files, an entry stays where it is and a new one goes to the first that exists', async () => {
  const directory = folder()
  const [missing, first, second] = ['a', 'b', 'c'].map((name) => join(directory, name)) as [string, string, string]
  writeFileSync(first, 'apiVersion: v1\nkind: Config\n')
  writeFileSync(second, withEntry('', entry('t8s')))
  const paths = [missing, first, second]
  expect((await mergeEntry(paths, entry('t8s'), { select: true, clock })).path).toBe(second)
  expect(currentContextOf(read(first))).toBe('t8s')
  expect((await mergeEntry(paths, entry('t8s-two'), { select: false, clock })).path).toBe(first)
  expect(hasEntry(read(second), 't8s-two')).toBe(false)
})

test('breaks a lock that was left behind', async () => {
  const path = join(folder(), 'config')
  writeFileSync(`${path}.lock`, '')
  utimesSync(`${path}.lock`, 0, 0)
  await mergeEntry([path], entry('t8s'), { select: true, clock })
  expect(hasEntry(read(path), 't8s')).toBe(true)
})

test('reads the variable as kubectl does', () => {
  expect(kubeconfigPaths(undefined, '/a::/b:/a')).toEqual(['/a', '/b'])
  expect(kubeconfigPaths('/x', '/a')).toEqual(['/x'])
})
