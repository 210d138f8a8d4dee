import { expect, test } from 'vitest'
import type { Attributes, Authorizer, Decision } from './authorizer.ts'
import { unionOf, unionOfRules } from './union.ts'

const asked: Attributes = {
  ...{ user: { name: 'jane', groups: [] }, verb: 'get', group: '', resource: 'pods', subresource: '' },
  ...{ namespace: '', name: '', path: '' },
}
const says = (verdict: Decision['verdict'], reason = '', error?: string): Authorizer => ({
  authorize: () => ({ verdict, reason, ...(error !== undefined && { error }) }),
})
const later = (authorizer: Authorizer): Authorizer => ({
  authorize: async (attributes) => authorizer.authorize(attributes),
})
const undecided = says('no-opinion', 'not mine')

test.each([
  [
    'the first with an opinion decides',
    [undecided, says('deny', 'no'), says('allow')],
    { verdict: 'deny', reason: 'no' },
  ],
  [
    'nobody allows what nobody knows',
    [undecided, says('no-opinion', 'nor mine', 'lost')],
    { verdict: 'no-opinion', reason: 'not mine\nnor mine', error: 'lost' },
  ],
  ['an empty list knows nothing', [], { verdict: 'no-opinion', reason: '' }],
])('%s, at once or later', async (_, authorizers, decision) => {
  expect(unionOf(authorizers).authorize(asked)).toEqual(decision)
  expect(await unionOf(authorizers.map(later)).authorize(asked)).toEqual(decision)
})

test('nobody is asked after somebody decided', async () => {
  const never: Authorizer = {
    authorize: () => {
      throw new Error('asked')
    },
  }
  expect(await unionOf([later(undecided), later(says('allow')), never]).authorize(asked)).toMatchObject({
    verdict: 'allow',
  })
})

test('rules are those of all, and incomplete when those of one are', async () => {
  const rules = { resourceRules: [], nonResourceRules: [{ verbs: ['get'] }], incomplete: false, error: '' }
  const all = unionOfRules([
    { rulesOf: () => rules },
    { rulesOf: () => ({ ...rules, incomplete: true, error: 'lost' }) },
  ])
  expect(await all.rulesOf(asked.user, 'a')).toEqual({
    resourceRules: [],
    nonResourceRules: [{ verbs: ['get'] }, { verbs: ['get'] }],
    incomplete: true,
    error: 'lost',
  })
})
