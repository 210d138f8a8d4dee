/** Pods whose spec is shared with others are what they would be if each had its own. */

import { expect, test } from 'vitest'
import { builtinResources } from '../../../src/apis/builtin.ts'
import type { ResourceDefinition } from '../../../src/apis/definition.ts'
import { deepFreeze } from '../../../src/base/deep-freeze.ts'
import { randomInteger, seededRandom } from '../../../src/base/random.ts'
import type { Answer, SendOptions, TestServer } from '../../support/test-server.ts'
import { PODS, startServer } from './admission-server.ts'

const FAMILIES = 120
/** The first is written as it came, the second is the first to be shared, the third finds it. */
const MEMBERS = 3

const random = seededRandom(11)
const oneOf = <T>(...values: readonly T[]): T => values[randomInteger(random, values.length)] as T
const often = (fields: object): object => oneOf<object>({}, {}, fields)

function anyContainer(name: string): object {
  return {
    name,
    image: oneOf('a:1', 'a', 'b@sha256:0', ' x', ''),
    ...often({ args: oneOf<unknown>([], ['x'], null, 'x') }),
    ...often({ env: oneOf([{ name: 'A', value: '1' }], [{ name: 'B' }, { name: 'B', value: '' }], [{ name: '=' }]) }),
    ...often({
      ports: [{ containerPort: oneOf<unknown>(80, 443, 0, '80'), name: oneOf('p', '') }, { containerPort: 80 }],
    }),
    ...often({ resources: { limits: { cpu: oneOf<unknown>('0.5', 2, '1m', 'x'), memory: oneOf('1Gi', '100m') } } }),
    ...often({ volumeMounts: [{ name: oneOf('v', 'w'), mountPath: oneOf('/v', '/v:') }] }),
    ...often({ lifecycle: { stopSignal: 'SIGTERM' } }),
    ...often({ securityContext: { privileged: true } }),
    ...often({ unknown: 1 }),
  }
}

const affinity: object = {
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [
      { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'a' } }, matchLabelKeys: ['app', 'member'] },
    ],
  },
}

function anySpec(): object {
  return {
    containers: oneOf(['a'], ['a', 'b'], ['a', 'a'], []).map(anyContainer),
    ...often({ initContainers: [anyContainer('i')] }),
    ...often({ hostNetwork: oneOf(true, false) }),
    ...often({ nodeSelector: oneOf<unknown>({ 'beta.kubernetes.io/os': 'linux' }, { b: '1', a: '2' }, { '!': '' }) }),
    ...often({ terminationGracePeriodSeconds: oneOf<unknown>(-1, 0, 5, 1.5) }),
    ...often({ affinity: oneOf<object>(affinity, { podAffinity: {} }) }),
    ...often({
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: oneOf('x', 'DoNotSchedule') }],
    }),
    ...often({ schedulingGates: [{ name: 'x/y' }] }),
    ...often({ volumes: [{ name: 'v', ...oneOf<object>({}, { emptyDir: {} }, { gitRepo: { repository: 'r' } }) }] }),
    ...often({ serviceAccountName: oneOf('default', 'missing') }),
    ...often({ priorityClassName: oneOf('system-node-critical', 'missing') }),
    ...often({ tolerations: [{ operator: 'Exists' }] }),
    ...often({ schedulingGroup: { podGroupName: 'g' } }),
    ...often({ restartPolicy: oneOf('Never', 'Sometimes') }),
    ...often({ enableServiceLinks: oneOf<unknown>(false, null) }),
    ...often({ nodeName: oneOf('n', '') }),
    ...often({ constructor: 1 }),
  }
}

function anyPod(name: string, spec: object): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'a', member: name }, ...often({ annotations: { a: 'b' } }) },
    spec,
    ...often({ status: { phase: 'Running' } }),
  }
}

const withoutSharing = ({ share: _, ...definition }: ResourceDefinition): ResourceDefinition => definition
const plainResources = builtinResources.map((each) => (each.share ? withoutSharing(each) : each))

/** What chance has decided, made equal. */
function told({ status, headers, text, json, response }: Answer): unknown {
  const shown = text === '' && response.body.type === 'object' ? JSON.stringify(json) : text
  const equal = shown.replaceAll(/"uid":"[^"]*"/g, '"uid":""').replaceAll(/kube-api-access-\w{5}/g, 'kube-api-access')
  return {
    status,
    warning: headers.warning,
    text: equal.replaceAll(/"resourceVersion":"\d+"/g, '"resourceVersion":""'),
  }
}

async function sameAnswer(
  servers: readonly [TestServer, TestServer],
  url: string,
  options: SendOptions,
): Promise<void> {
  const [sharing, plain] = await Promise.all(servers.map((server) => server.send('POST', url, options)))
  if (sharing && plain) expect(told(sharing)).toEqual(told(plain))
}

test('pods of families are answered, refused, warned of and stored as if each had a spec of its own', async () => {
  await using sharing = await startServer()
  await using plain = await startServer({}, plainResources)
  const servers = [sharing, plain] as const
  for (let family = 0; family < FAMILIES; family++) {
    const spec = anySpec()
    for (let member = 0; member < MEMBERS; member++) {
      const pod = anyPod(`p-${family}-${member}`, spec)
      const validation = oneOf('Warn', 'Warn', 'Strict', 'Ignore')
      await sameAnswer(servers, `${PODS}?fieldValidation=${validation}`, {
        body: oneOf<unknown>(pod, pod, JSON.stringify(pod).replace('"containers":', '"containers":[],"containers":')),
      })
    }
    const own = deepFreeze(
      anyPod(`o-${family}`, { containers: [{ name: 'a', image: 'a:1' }], ...often({ nodeName: 'n' }) }),
    )
    await sameAnswer(servers, PODS, { body: own, wants: 'object' })
  }
  const [shared, own] = await Promise.all(servers.map((server) => server.send('GET', '/api/v1/pods')))
  if (shared && own) expect(told(shared)).toEqual(told(own))
  expect(shared?.json.items.length).toBeGreaterThan(FAMILIES)
})

test('pods of a family have one spec in memory, whatever their bodies came as', async () => {
  await using server = await startServer()
  const spec = { containers: [{ name: 'family', image: 'family:1' }] }
  const specs: unknown[] = []
  for (const [index, wants] of (['bytes', 'bytes', 'bytes', 'object', 'object'] as const).entries()) {
    const body = deepFreeze({ metadata: { name: `p-${index}` }, spec: { ...spec } })
    await server.send('POST', PODS, { body, wants })
    specs.push((await server.send('GET', `${PODS}/p-${index}`, { wants: 'object' })).json.spec)
  }
  const [, , third, fourth, fifth] = specs
  expect([specs[0] === third, specs[1] === third, fourth === third, fifth === third]).toEqual([false, true, true, true])
})

test('what is wrong around a spec that is known is told as ever', async () => {
  await using server = await startServer()
  const spec = '{"containers":[{"name":"known","image":"known:1"}]}'
  const send = (name: string, members: string, query = '') =>
    server.send('POST', `${PODS}${query}`, { body: `{"metadata":{"name":"${name}"},${members}}` })
  for (const name of ['a', 'b', 'c']) expect((await send(name, `"spec":${spec}`)).status).toBe(201)
  const unknown = await send('d', `"spec":${spec},"other":1`)
  expect(unknown.headers.warning).toBe('unknown field "other"')
  const twice = await send('e', `"spec":{},"spec":${spec}`)
  expect(twice.headers.warning).toBe('duplicate field "spec"')
  const inside = await send('f', `"spec":${spec.replace('{"name', '{"image":"x","name')}`, '?fieldValidation=Strict')
  expect(inside.json.message).toContain('strict decoding error: duplicate field "spec.containers[0].image"')
  const within = await send('g', `"spec":${spec.replace('{"name', '{"new":1,"name')}`, '?fieldValidation=Strict')
  expect(within.json.message).toContain('strict decoding error: unknown field "spec.containers[0].new"')
  const huge = await send('h', `"spec":${spec.replace('}]}', '}],"terminationGracePeriodSeconds":1e400}')}`)
  expect([huge.status, huge.json.message]).toEqual([400, expect.stringContaining('terminationGracePeriodSeconds')])
})
