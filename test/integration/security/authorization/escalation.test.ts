/**
 * Whatever roles there are and whatever somebody who may write roles and bindings writes, in whatever way: what they may
 * do does not become more. Only the verbs that say so (`escalate`, `bind`, `impersonate`, …) are left out of the roles.
 */

import { expect, test } from 'vitest'
import { clusterRoles } from '../../../../src/apis/rbac/cluster-role.ts'
import type { ClusterRole, PolicyRule } from '../../../../src/apis/rbac/types.gen.ts'
import { type Random, randomInteger, seededRandom } from '../../../../src/base/random.ts'
import { planAggregation } from '../../../../src/controllers/security/cluster-role-aggregation.ts'
import type { UserInfo } from '../../../../src/machinery/wire/message.ts'
import { openRbacServer, type RbacServer } from '../../auth/rbac-server.ts'

const SEEDS = Array.from({ length: 24 }, (_, index) => index + 1)
const WRITES = 60
/** More sums of sums than there are. */
const ROUNDS_MAX = 20

const GROUP = 'rbac.authorization.k8s.io'
const JANE: UserInfo = { name: 'jane', groups: ['dev', 'system:authenticated'] }
const ROOT: UserInfo = { name: 'root', groups: ['system:masters'] }
const NAMESPACES = ['a', 'b']
const NAMES = ['r1', 'r2', 'r3']
const VERBS = ['get', 'list', 'create', 'update', 'delete']
const RESOURCES: readonly (readonly [group: string, resource: string])[] = [
  ['', 'pods'],
  ['', 'pods/log'],
  ['', 'secrets'],
  ['apps', 'deployments'],
  ['apps', '*/scale'],
  ['apps', '*'],
  ['*', '*'],
  [GROUP, 'roles'],
]
const PATHS = ['/metrics', '/healthz/*', '*']
const SUBJECTS = [
  { kind: 'User', name: 'jane', apiGroup: GROUP },
  { kind: 'User', name: 'joe', apiGroup: GROUP },
  { kind: 'Group', name: 'dev', apiGroup: GROUP },
  { kind: 'Group', name: 'ops', apiGroup: GROUP },
]

/** What chance makes of the lists above. */
class Chance {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  of<T>(list: readonly T[]): T {
    const chosen = list[randomInteger(this.#random, list.length)]
    if (chosen === undefined) throw new Error('nothing to choose from')
    return chosen
  }

  /** Some of them, in their order, but not none. */
  some<T>(list: readonly T[]): readonly T[] {
    const chosen = list.filter(() => this.#random.next() < 0.4)
    return chosen.length > 0 ? chosen : [this.of(list)]
  }

  sometimes(share: number): boolean {
    return this.#random.next() < share
  }

  rule(): PolicyRule {
    if (this.sometimes(0.1)) return { verbs: this.some(VERBS), nonResourceURLs: [this.of(PATHS)] }
    const [group, resource] = this.of(RESOURCES)
    const rule = { verbs: this.some(VERBS), apiGroups: [group], resources: [resource] }
    return this.sometimes(0.2) ? { ...rule, resourceNames: this.some(NAMES) } : rule
  }

  /** Namespaced roles give nothing on paths. */
  rules(isNamespaced: boolean): readonly PolicyRule[] {
    const rules = Array.from({ length: 1 + randomInteger(this.#random, 3) }, () => this.rule())
    return isNamespaced ? rules.filter(({ nonResourceURLs }) => !nonResourceURLs) : rules
  }

  labels(): Readonly<Record<string, string>> {
    return { sum: this.of(['x', 'y']) }
  }

  subjects() {
    return this.some(SUBJECTS)
  }
}

interface Place {
  readonly resource: 'roles' | 'clusterroles' | 'rolebindings' | 'clusterrolebindings'
  readonly path: string
  readonly name: string
  readonly isNamespaced: boolean
}

function placeOf(chance: Chance): Place {
  const resource = chance.of(['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'] as const)
  const isNamespaced = !resource.startsWith('cluster')
  const where = isNamespaced ? `/namespaces/${chance.of(NAMESPACES)}` : ''
  return { resource, path: `/apis/${GROUP}/v1${where}/${resource}`, name: chance.of(NAMES), isNamespaced }
}

const KINDS = {
  roles: 'Role',
  clusterroles: 'ClusterRole',
  rolebindings: 'RoleBinding',
  clusterrolebindings: 'ClusterRoleBinding',
} as const

/** An object as somebody may send it for this place. */
function objectFor(chance: Chance, { resource, name, isNamespaced }: Place): object {
  const head = { apiVersion: `${GROUP}/v1`, kind: KINDS[resource], metadata: { name, labels: chance.labels() } }
  if (resource === 'roles' || resource === 'clusterroles') {
    const sum = resource === 'clusterroles' && chance.sometimes(0.1) && { aggregationRule: sumOf(chance) }
    return { ...head, rules: chance.rules(isNamespaced), ...sum }
  }
  const kind = isNamespaced ? chance.of(['Role', 'ClusterRole']) : 'ClusterRole'
  const roleName = chance.of([...NAMES, 'cluster-admin', 'edit', 'sum-x'])
  return { ...head, subjects: chance.subjects(), roleRef: { apiGroup: GROUP, kind, name: roleName } }
}

function sumOf(chance: Chance) {
  return { clusterRoleSelectors: [{ matchLabels: chance.labels() }] }
}

/** One request of Jane's: to create, replace, patch in any way, apply or delete. Its status. */
async function write(server: RbacServer, chance: Chance): Promise<number> {
  const place = placeOf(chance)
  const path = `${place.path}/${place.name}`
  const object = objectFor(chance, place)
  const send = async (method: string, url: string, body?: unknown, type = 'application/json') =>
    (await server.send(JANE, method, url, { body, headers: { 'content-type': type } })).status
  const patched = Object.fromEntries(
    chance.some(Object.entries(object).filter(([key]) => /rules|subjects|agg/.test(key))),
  )
  const part = chance.sometimes(0.5) ? patched : { metadata: { labels: chance.labels() } }
  switch (chance.of(['create', 'replace', 'merge', 'strategic', 'json', 'apply', 'delete'] as const)) {
    case 'create':
      return send('POST', place.path, object)
    case 'replace': {
      const { json } = await server.send(ROOT, 'GET', path)
      return send('PUT', path, { ...json, ...part, metadata: { ...json.metadata, labels: chance.labels() } })
    }
    case 'merge':
      return send('PATCH', path, part, 'application/merge-patch+json')
    case 'strategic':
      return send('PATCH', path, part, 'application/strategic-merge-patch+json')
    case 'json': {
      const steps = Object.entries(part).map(([key, value]) => ({ op: 'add', path: `/${key}`, value }))
      return send('PATCH', path, steps, 'application/json-patch+json')
    }
    case 'apply':
      return send('PATCH', `${path}?fieldManager=jane&force=true`, object, 'application/apply-patch+yaml')
    case 'delete':
      return chance.sometimes(0.3) ? send('DELETE', path) : 0
  }
}

/** What others have set up: roles that give more than Jane has, bindings, sums. */
async function prepare(server: RbacServer, chance: Chance): Promise<void> {
  const create = (path: string, body: object) => server.send(ROOT, 'POST', path, { body })
  for (let index = 0; index < 12; index++) {
    const place = placeOf(chance)
    await create(place.path, objectFor(chance, place))
  }
  const cluster = `/apis/${GROUP}/v1`
  const role = (name: string) => ({ apiGroup: GROUP, kind: 'ClusterRole', name })
  const head = { apiVersion: `${GROUP}/v1` }
  const writes = { verbs: [...VERBS, 'patch'], apiGroups: [GROUP], resources: Object.keys(KINDS) }
  const own = { ...head, kind: 'ClusterRole', metadata: { name: 'janes' }, rules: [writes, ...chance.rules(false)] }
  await create(`${cluster}/clusterroles`, own)
  const sum = { ...head, kind: 'ClusterRole', metadata: { name: 'sum-x' } }
  await create(`${cluster}/clusterroles`, {
    ...sum,
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { sum: 'x' } }] },
  })
  for (const name of ['janes', 'sum-x']) {
    const binding = { ...head, kind: 'ClusterRoleBinding', metadata: { name }, subjects: [SUBJECTS[0]] }
    await create(`${cluster}/clusterrolebindings`, { ...binding, roleRef: role(name) })
  }
  await aggregate(server)
}

/** What the controller does, until there is nothing left to do: sums may be summands. */
async function aggregate({ admin }: RbacServer): Promise<void> {
  for (let round = 0, isStable = false; !isStable; round++) {
    expect(round).toBeLessThan(ROUNDS_MAX)
    isStable = true
    const { items: all } = await admin.of(clusterRoles).list()
    for (const role of all.filter(({ aggregationRule }: ClusterRole) => aggregationRule))
      for (const action of planAggregation({ role, all }).actions) {
        if (action.do !== 'patch') continue
        await admin.of(clusterRoles).patch({ name: role.metadata.name ?? '' }, action.patch)
        isStable = false
      }
  }
}

/** Everything Jane may do, of what there is to do. */
async function closure({ authorizer }: RbacServer): Promise<ReadonlySet<string>> {
  const allowed = new Set<string>()
  const ask = async (question: Omit<Parameters<typeof authorizer.authorize>[0], 'user'>) => {
    const { verdict } = await authorizer.authorize({ user: JANE, ...question })
    if (verdict === 'allow') allowed.add(Object.values(question).join(' '))
  }
  const nothing = { group: '', resource: '', subresource: '', namespace: '', name: '' }
  for (const verb of VERBS) {
    for (const path of ['/metrics', '/healthz/ping', '/other']) await ask({ ...nothing, verb, path })
    for (const [group, resource, subresource] of QUESTIONS)
      for (const namespace of ['', ...NAMESPACES, 'c'])
        for (const name of ['', 'r1', 'other'])
          await ask({ verb, group, resource, subresource, namespace, name, path: '' })
  }
  return allowed
}

const QUESTIONS = [
  ['', 'pods', ''],
  ['', 'pods', 'log'],
  ['', 'secrets', ''],
  ['apps', 'deployments', ''],
  ['apps', 'deployments', 'scale'],
  ['example.com', 'things', ''],
  [GROUP, 'roles', ''],
] as const

test.each(SEEDS)('what one may do never grows by what one writes (seed %i)', async (seed) => {
  await using server = await openRbacServer()
  const chance = new Chance(seededRandom(seed))
  await prepare(server, chance)
  let before = await closure(server)
  const accepted: number[] = []
  for (let index = 0; index < WRITES; index++) {
    const status = await write(server, chance)
    if (status < 200 || status > 299) continue
    accepted.push(status)
    await aggregate(server)
    const after = await closure(server)
    expect([...after].filter((right) => !before.has(right))).toEqual([])
    before = after
  }
  // Chance has made something that counts.
  expect(accepted.length).toBeGreaterThan(0)
})
