/** Covering and allowing say the same, for rules at random: nobody gains a right by a role that they may write. */

import { expect, test } from 'vitest'
import type { PolicyRule } from '../../../apis/rbac/types.gen.ts'
import { type Random, seededRandom } from '../../../base/random.ts'
import type { Attributes } from '../authorizer.ts'
import { missingRules } from './rule-cover.ts'
import { ruleAllows } from './rule-match.ts'

const ROUNDS = 3_000
const VERBS = ['get', 'list', '*']
const GROUPS = ['', 'apps', '*']
const RESOURCES = ['pods', 'pods/log', 'deployments/scale', '*/scale', '*']
const NAMES = ['web', 'db']
const PATHS = ['/livez', '/apis/*', '/apis/apps', '*']

function some<T>(random: Random, list: readonly T[], least = 1): readonly T[] {
  const found = list.filter(() => random.next() < 0.35)
  return found.length >= least ? found : list.slice(0, least)
}

function rule(random: Random): PolicyRule {
  if (random.next() < 0.25) return { verbs: some(random, VERBS), nonResourceURLs: some(random, PATHS) }
  const resourceNames = random.next() < 0.3 ? some(random, NAMES) : undefined
  const shared = { verbs: some(random, VERBS), apiGroups: some(random, GROUPS), resources: some(random, RESOURCES) }
  return { ...shared, ...(resourceNames && { resourceNames }) }
}

const pick = <T>(random: Random, list: readonly [T, ...T[]]): T =>
  list[Math.floor(random.next() * list.length)] ?? list[0]

function request(random: Random): Attributes {
  const user = { name: 'jane', groups: [] }
  const verb = pick(random, ['get', 'list', 'delete'])
  const none = { user, verb, group: '', resource: '', subresource: '', namespace: '', name: '', path: '' }
  if (random.next() < 0.25) return { ...none, path: pick(random, ['/livez', '/apis/apps', '/apis/batch', '/metrics']) }
  const [resource, subresource] = pick<readonly [string, string]>(random, [
    ['pods', ''],
    ['pods', 'log'],
    ['deployments', 'scale'],
    ['secrets', ''],
  ])
  return {
    ...none,
    group: pick(random, ['', 'apps', 'batch']),
    resource,
    subresource,
    name: pick(random, ['', 'web', 'db']),
  }
}

test('rules that cover others allow all that those do', () => {
  const random = seededRandom(36)
  for (let round = 0; round < ROUNDS; round++) {
    const held = [rule(random), rule(random)]
    const wanted = [rule(random)]
    if (missingRules(held, wanted).length > 0) continue
    for (let asked = 0; asked < 20; asked++) {
      const attributes = request(random)
      if (!wanted.some((one) => ruleAllows(one, attributes))) continue
      const allowed = held.some((one) => ruleAllows(one, attributes))
      expect(allowed, JSON.stringify({ held, wanted, attributes })).toBe(true)
    }
  }
})

test('what is missing is wanted, and makes the held rules cover the wanted ones', () => {
  const random = seededRandom(37)
  for (let round = 0; round < ROUNDS; round++) {
    const held = [rule(random)]
    const wanted = [rule(random), rule(random)]
    const missing = missingRules(held, wanted)
    expect(missingRules(wanted, missing)).toEqual([])
    expect(missingRules([...held, ...missing], wanted)).toEqual([])
  }
})
