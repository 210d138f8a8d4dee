import { describe, expect, test } from 'vitest'
import { allCapabilities, boundingSet } from './capabilities.ts'
import type { ContainerSecurity } from './runtime.ts'
import { oomScore, securityConfig, userOf } from './security-context.ts'

const plain: ContainerSecurity = {
  supplementalGroups: [],
  privileged: false,
  noNewPrivileges: false,
  addCapabilities: [],
  dropCapabilities: [],
  readOnlyRootFilesystem: false,
  seccomp: 'runtime-default',
  unmaskedProc: false,
}
const withoutResource = allCapabilities.filter((name) => name !== 'SYS_RESOURCE')
const everywhere = { capabilities: allCapabilities, imageUser: '' }
const limited = { capabilities: withoutResource, imageUser: '' }

test('the bounding set of a status file is read by name', () => {
  expect(boundingSet('Name:\tinit\nCapBnd:\t000001ffffffffff\n')).toEqual(allCapabilities)
  expect(boundingSet('CapBnd:\t000001fffeffffff\n')).toEqual(withoutResource)
  expect(boundingSet('Name:\tinit\n')).toBeUndefined()
})

describe('a user', () => {
  for (const [user, group, imageUser, expected] of [
    [undefined, undefined, 'nginx', undefined],
    [1001, undefined, 'nginx', '1001'],
    [1001, 2002, 'nginx', '1001:2002'],
    [undefined, 2002, '1234:5678', '1234:2002'],
    [undefined, 2002, '', '0:2002'],
  ] as const)
    test(`${user}:${group} over an image of ${imageUser || 'root'} is ${expected}`, () => {
      expect(userOf({ ...plain, user, group }, imageUser)).toBe(expected)
    })
})

describe('what the engine is asked for', () => {
  test('nothing, when nothing is set', () => {
    expect(securityConfig(plain, everywhere)).toEqual({
      ReadonlyRootfs: false,
      GroupAdd: [],
      CapAdd: [],
      CapDrop: [],
      SecurityOpt: [],
    })
  })

  test('confinement as it is set', () => {
    const security: ContainerSecurity = {
      ...plain,
      supplementalGroups: [3003],
      noNewPrivileges: true,
      addCapabilities: ['CAP_NET_ADMIN'],
      dropCapabilities: ['ALL'],
      readOnlyRootFilesystem: true,
      seccomp: { localhostProfile: '/profile.json' },
    }
    expect(securityConfig(security, { ...everywhere, localSeccompProfile: '{}' })).toEqual({
      ReadonlyRootfs: true,
      GroupAdd: ['3003'],
      CapAdd: ['NET_ADMIN'],
      CapDrop: ['ALL'],
      SecurityOpt: ['seccomp={}', 'no-new-privileges'],
    })
  })

  test('privilege as a whole where the machine has it, and piece by piece where it does not', () => {
    expect(securityConfig({ ...plain, privileged: true }, everywhere)).toMatchObject({ Privileged: true })
    const pieces = securityConfig({ ...plain, privileged: true }, limited)
    expect(pieces.Privileged).toBeUndefined()
    expect(pieces.CapAdd).toEqual(withoutResource)
    expect(pieces.SecurityOpt).toContain('seccomp=unconfined')
  })

  test('all capabilities are those that there are', () => {
    const security = { ...plain, addCapabilities: ['ALL'], dropCapabilities: ['NET_RAW'] }
    expect(securityConfig(security, everywhere).CapAdd).toEqual(['ALL'])
    expect(securityConfig(security, limited).CapAdd).toEqual(withoutResource.filter((name) => name !== 'NET_RAW'))
  })
})

test('a machine that cannot protect a process does not try', () => {
  expect([oomScore(-998, allCapabilities), oomScore(-998, withoutResource), oomScore(1000, withoutResource)]).toEqual([
    -998, 0, 1000,
  ])
})
