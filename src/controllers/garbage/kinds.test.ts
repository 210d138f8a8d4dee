import { expect, test } from 'vitest'
import type { ServedResource } from '../../client/discovery.ts'
import { createAbsentOwnerCache } from './absent-owner-cache.ts'
import { indexKinds } from './kinds.ts'

const served = (version: string): ServedResource => ({
  group: 'apps',
  version,
  resource: 'deployments',
  kind: 'Deployment',
  scope: 'Namespaced',
  verbs: [],
})
const reference = (apiVersion: string, kind = 'Deployment') => ({ apiVersion, kind, name: 'web', uid: '1' })

test('a kind is found in its version, else in another one of its group', () => {
  const kinds = indexKinds([served('v1'), served('v2')])
  const versionOf = (apiVersion: string, kind?: string) => kinds.resourceOf(reference(apiVersion, kind))?.version
  expect(versionOf('apps/v2')).toBe('v2')
  expect(versionOf('apps/v1beta1')).toBe('v1')
  expect(versionOf('extensions/v1')).toBeUndefined()
  expect(versionOf('apps/v1', 'Unknown')).toBeUndefined()
  expect(versionOf('not/a/version')).toBeUndefined()
})

test('an absent owner is remembered with everything it was called by', () => {
  const absent = createAbsentOwnerCache()
  absent.add(reference('apps/v1'), 'default')
  expect(absent.has({ ...reference('apps/v1'), controller: true }, 'default')).toBe(true)
  expect(absent.has(reference('apps/v1'), 'other')).toBe(false)
  expect(absent.has(reference('apps/v1'), undefined)).toBe(false)
  expect(absent.has(reference('apps/v2'), 'default')).toBe(false)
})
