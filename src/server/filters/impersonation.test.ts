import { describe, expect, test } from 'vitest'
import type { UserInfo } from '../../machinery/wire/message.ts'
import type { Attributes } from '../auth/authorizer.ts'
import { type Need, type Wish, waysOf } from './impersonation.ts'

const jane: UserInfo = { name: 'jane', groups: [] }
const agent: UserInfo = {
  name: 'system:serviceaccount:a:agent',
  groups: [],
  extra: { 'authentication.kubernetes.io/node-name': ['n1'] },
}
const asked = (user: UserInfo): Attributes => {
  return { user, verb: 'list', group: '', resource: 'pods', subresource: '', namespace: 'a', name: '', path: '' }
}
const wish = (more: Partial<Wish>): Wish => ({ name: 'joe', uid: '', groups: [], extra: {}, ...more })

/** `verb resource/subresource.group name`, a `*` before what suffices for the rest, `!` before what nobody may. */
const right = ({ verb, resource, subresource, group, name }: Attributes) =>
  `${verb} ${resource}${subresource && `/${subresource}`}${group && `.${group}`} ${name}`.trim()
const text = ({ whole, parts, refused }: Need) => [
  ...(refused ? [`! ${refused.reason}`] : []),
  ...(whole ? [`* ${right(whole)}`] : []),
  ...parts.map(right),
]
const needsOf = (user: UserInfo, more: Partial<Wish>) =>
  waysOf(asked(user), wish(more)).map(({ needs }) => needs.flatMap(text))

const AUTH = 'authentication.k8s.io'

describe('the rights that it takes to act', () => {
  test('as a user', () => {
    expect(needsOf(jane, {})).toEqual([
      ['impersonate-on:user-info:list pods', `impersonate:user-info users.${AUTH} joe`],
      ['impersonate users joe'],
    ])
  })

  test('as a user of groups, with a uid and more', () => {
    const extra = { 'example.com/team': ['red', 'blue'] }
    expect(needsOf(jane, { uid: '1', groups: ['dev'], extra })).toEqual([
      [
        'impersonate-on:user-info:list pods',
        `impersonate:user-info users.${AUTH} joe`,
        `impersonate:user-info uids.${AUTH} 1`,
        `impersonate:user-info groups.${AUTH} dev`,
        `impersonate:user-info userextras/example.com/team.${AUTH} red`,
        `impersonate:user-info userextras/example.com/team.${AUTH} blue`,
      ],
      [
        'impersonate users joe',
        `impersonate uids.${AUTH} 1`,
        'impersonate groups dev',
        `impersonate userextras/example.com/team.${AUTH} red`,
        `impersonate userextras/example.com/team.${AUTH} blue`,
      ],
    ])
  })

  test('as a service account', () => {
    expect(needsOf(jane, { name: 'system:serviceaccount:b:bot' })).toEqual([
      ['impersonate-on:serviceaccount:list pods', `impersonate:serviceaccount serviceaccounts.${AUTH} bot`],
      ['impersonate serviceaccounts bot'],
    ])
  })

  test('as the node that one runs on, or another', () => {
    const [associated, arbitrary, old] = needsOf(agent, { name: 'system:node:n1' })
    expect(associated).toEqual([
      'impersonate-on:associated-node:list pods',
      `impersonate:associated-node nodes.${AUTH} *`,
    ])
    expect(arbitrary).toEqual([
      'impersonate-on:arbitrary-node:list pods',
      `impersonate:arbitrary-node nodes.${AUTH} n1`,
    ])
    expect(old).toEqual(['impersonate users system:node:n1'])
    expect(needsOf(agent, { name: 'system:node:n2' })).toHaveLength(2)
    expect(needsOf(agent, { name: 'system:node:n1', groups: ['system:nodes'] })).toHaveLength(1)
  })

  test('in many groups may be that to all', () => {
    const [narrow] = needsOf(jane, { groups: ['a', 'b', 'c', 'd'] })
    expect(narrow).toContain(`* impersonate:user-info groups.${AUTH} *`)
  })

  test.each([
    ['superusers', { groups: ['system:masters'] }, '! impersonating the system:masters group is not allowed'],
    ['a group without a name', { groups: [''] }, '! impersonating the empty string group is not allowed'],
    [
      'extra without a domain',
      { extra: { team: ['red'] } },
      '! impersonating an invalid key in extra is not allowed: extra.key: Invalid value: "team": ' +
        'must be a domain-prefixed path (such as "acme.io/foo")',
    ],
    [
      'extra in capitals',
      { extra: { 'a.b/C': ['red'] } },
      '! impersonating a non-lowercase key in extra is not allowed: "a.b/C"',
    ],
    [
      'extra without a value',
      { extra: { 'a.b/c': [''] } },
      '! impersonating the empty string value in extra is not allowed',
    ],
  ])('%s are left to the old way', (_, more, refusal) => {
    const [narrow, old] = needsOf(jane, more)
    expect(narrow).toContain(refusal)
    expect(old?.some((need) => need.startsWith('!'))).toBe(false)
  })
})

describe('who one is then', () => {
  test.each([
    ['a user is known', {}, ['system:authenticated']],
    ['groups stand as they are asked for', { groups: ['a'] }, ['a', 'system:authenticated']],
    [
      'a service account has its groups',
      { name: 'system:serviceaccount:b:bot' },
      ['system:serviceaccounts', 'system:serviceaccounts:b', 'system:authenticated'],
    ],
    ['a node has its group', { name: 'system:node:n1' }, ['system:nodes', 'system:authenticated']],
    ['nobody is unknown', { name: 'system:anonymous' }, ['system:unauthenticated']],
  ])('%s', (_, more, groups) => expect(waysOf(asked(jane), wish(more))[0]?.user.groups).toEqual(groups))

  test('in the old way a node has only what is asked for', () => {
    expect(waysOf(asked(jane), wish({ name: 'system:node:n1' })).at(-1)?.user.groups).toEqual(['system:authenticated'])
  })
})
