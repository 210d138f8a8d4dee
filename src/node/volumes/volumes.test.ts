import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { container, pod } from '../../../test/support/builders.ts'
import type { ConfigMap, Pod, PodSpec, Volume } from '../../apis/core/types.gen.ts'
import { createFakeClock } from '../../base/fake-clock.ts'
import { createPodDirectory } from '../pod-directory.ts'
import { commonUser } from './ownership.ts'
import { createPodVolumes } from './volumes.ts'

let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 't8s-volumes-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

const maps = new Map<string, ConfigMap>()
const configMap = (data: Readonly<Record<string, string>>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {},
  data,
})
maps.set('settings', configMap({ mode: 'fast', level: '3' }))

function open() {
  const directory = createPodDirectory(join(root, 'pods'))
  const files = {
    configMap: (_: string, name: string) => maps.get(name),
    secret: () => undefined,
    tokens: { token: async (_: Pod, audience: string) => `token for ${audience}` },
    allocatable: {},
    hostIp: '192.0.2.1',
  }
  const claims = { claim: () => undefined, persistentVolume: () => undefined }
  return { directory, volumes: createPodVolumes({ directory, files, claims, clock: createFakeClock() }) }
}

const podWith = (volume: Omit<Volume, 'name'>, spec: Partial<PodSpec> = {}) =>
  pod({ metadata: { uid: 'uid-1' }, spec: { volumes: [{ name: 'data', ...volume }], ...spec } })
const mounting = (parts: object = {}) => container({ volumeMounts: [{ name: 'data', mountPath: '/data', ...parts }] })
const modeOf = async (path: string) => (await stat(path)).mode & 0o7777
const place = (...names: readonly string[]) => join(root, 'pods', 'uid-1', 'volumes', 'data', ...names)

test('an emptyDir may be written by anybody, and stays as it is when it is set up again', async () => {
  const { volumes } = open()
  const of = podWith({ emptyDir: {} })
  await volumes.prepare(of)
  expect(await modeOf(place())).toBe(0o777)
  await rm(place(), { recursive: true })
  await mkdir(place(), { mode: 0o700 })
  await volumes.prepare(of)
  expect(await modeOf(place())).toBe(0o700)
})

test('what the API is the source of is mounted read-only', async () => {
  const { volumes } = open()
  const of = podWith({ configMap: { name: 'settings' } })
  await volumes.prepare(of)
  expect(await volumes.mounts(of, mounting(), (text) => text)).toEqual([
    { source: place(), target: '/data', readOnly: true, propagation: 'private' },
  ])
  expect(await readFile(place('mode'), 'utf8')).toBe('fast')
})

describe('a ConfigMap', () => {
  for (const [behaviour, source, message] of [
    [
      'that does not exist',
      { name: 'none' },
      'MountVolume.SetUp failed for volume "data" : configmap "none" not found',
    ],
    [
      'without a key that is asked for',
      { name: 'settings', items: [{ key: 'x', path: 'x' }] },
      'MountVolume.SetUp failed for volume "data" : references non-existent config key: x',
    ],
  ] as const) {
    test(`${behaviour} keeps the pod waiting`, async () => {
      await expect(open().volumes.prepare(podWith({ configMap: source }))).rejects.toThrow(message)
    })
    test(`${behaviour} and is optional is empty`, async () => {
      await open().volumes.prepare(podWith({ configMap: { ...source, optional: true } }))
      expect(await stat(place('..data'))).toBeTruthy()
    })
  }
})

test('a projection puts all its sources into one directory', async () => {
  const { volumes } = open()
  const sources = [
    { configMap: { name: 'settings', items: [{ key: 'mode', path: 'conf/mode' }] } },
    { serviceAccountToken: { path: 'token', audience: 'vault' } },
    { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
  ]
  await volumes.prepare(podWith({ projected: { sources, defaultMode: 0o644 } }))
  const texts = await Promise.all(['conf/mode', 'token', 'name'].map((path) => readFile(place(path), 'utf8')))
  expect(texts).toEqual(['fast', 'token for vault', 'web-0'])
})

test('a token is for the one user of the pod alone, where there is one', async () => {
  const { volumes } = open()
  const projected = { sources: [{ serviceAccountToken: { path: 'token' } }], defaultMode: 0o644 }
  const me = process.getuid?.() ?? 0
  await volumes.prepare(podWith({ projected }, { securityContext: { runAsUser: me } }))
  expect(await modeOf(place('token'))).toBe(0o600)
})

test('the one user is known only when all containers agree', () => {
  const as = (runAsUser: number) => container({ securityContext: { runAsUser } })
  expect(commonUser(pod({ spec: { containers: [as(5), as(5)] } }))).toBe(5)
  expect(commonUser(pod({ spec: { containers: [as(5), container()] } }))).toBeUndefined()
  expect(commonUser(pod())).toBeUndefined()
})

test('sub-paths may be made of the environment, and lead nowhere else', async () => {
  const { volumes } = open()
  const of = podWith({ emptyDir: {} })
  await volumes.prepare(of)
  const [mount] = await volumes.mounts(of, mounting({ subPathExpr: '$(POD)' }), () => 'web-0')
  expect(mount?.source).toBe(place('web-0'))
  await expect(volumes.mounts(of, mounting({ subPathExpr: '$(POD)' }), () => '../../..')).rejects.toThrow(
    expect.objectContaining({ reason: 'CreateContainerConfigError' }),
  )
})

describe('a hostPath', () => {
  for (const [type, exists, works] of [
    ['', false, true],
    ['DirectoryOrCreate', false, true],
    ['FileOrCreate', false, true],
    ['Directory', true, true],
    ['Directory', false, false],
    ['File', true, false],
    ['Socket', true, false],
  ] as const) {
    test(`of type "${type}" that ${exists ? 'is a directory' : 'does not exist'} ${works ? 'works' : 'is refused'}`, async () => {
      const path = join(root, 'host', 'place')
      if (exists) await mkdir(path, { recursive: true })
      const preparing = open().volumes.prepare(podWith({ hostPath: { path, type } }))
      if (works) await preparing
      else await expect(preparing).rejects.toThrow(/hostPath type check failed/)
    })
  }
})

test('a refresh during the set-up of the same volume does not disturb it', async () => {
  const { volumes } = open()
  const of = podWith({ configMap: { name: 'settings' } })
  await volumes.prepare(of)
  maps.set('settings', configMap({ mode: 'slow' }))
  await Promise.all([volumes.prepare(of), volumes.refresh(of), volumes.refresh(of)])
  expect(await readFile(place('mode'), 'utf8')).toBe('slow')
})

test('nothing is left after the end, which may come twice', async () => {
  const { volumes, directory } = open()
  await volumes.prepare(podWith({ emptyDir: {} }))
  await volumes.tearDown('uid-1')
  await volumes.tearDown('uid-1')
  await directory.remove('uid-1')
  expect(await directory.pods()).toEqual([])
})
