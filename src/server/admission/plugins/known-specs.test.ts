/** What plugins remember of specs must be what they would make of them today: generated sequences of facts and pods. */

import { expect, test } from 'vitest'
import { container } from '../../../../test/support/builders.ts'
import { limitRanges } from '../../../apis/core/limit-range.ts'
import { pods } from '../../../apis/core/pod/definition.ts'
import { serviceAccounts } from '../../../apis/core/service-account.ts'
import { podSpecSchema } from '../../../apis/core/shared-pod-spec.ts'
import type { LimitRange, Pod, PodSpec, ServiceAccount } from '../../../apis/core/types.gen.ts'
import type { ResourceDefinition } from '../../../apis/definition.ts'
import { runtimeClasses } from '../../../apis/nodes/runtime-class.ts'
import type { RuntimeClass } from '../../../apis/nodes/types.gen.ts'
import { priorityClasses } from '../../../apis/scheduling/priority-class.ts'
import type { PriorityClass } from '../../../apis/scheduling/types.gen.ts'
import { deepClone, deepFreeze } from '../../../base/deep-freeze.ts'
import { messageOf } from '../../../base/error-text.ts'
import { randomInteger, seededRandom } from '../../../base/random.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import { canonical, isShared, sharedForm } from '../../../machinery/schema/canonical.ts'
import { admissionChain } from '../chain.ts'
import type { AdmissionView } from '../plugin.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { rememberedSpecs } from './known-specs.ts'
import { limitRanger } from './limits/limit-ranger.ts'
import { priority } from './priority.ts'
import { runtimeClass } from './runtime-class.ts'
import { serviceAccount } from './service-account.ts'

const random = seededRandom(5)
const oneOf = <T>(...values: readonly T[]): T => values[randomInteger(random, values.length)] as T

const account = (parts: Partial<ServiceAccount>): ServiceAccount => ({ metadata: { name: 'default' }, ...parts })
const range = (cpu: string): LimitRange => ({
  metadata: { name: `cpu-${cpu}` },
  spec: { limits: [{ type: 'Container', defaultRequest: { cpu } }] },
})
const priorityClass = (name: string, value: number, globalDefault = false): PriorityClass => ({
  metadata: { name },
  value,
  globalDefault,
})
const runtime = (cpu: string): RuntimeClass => ({
  metadata: { name: 'vm' },
  handler: 'vm',
  overhead: { podFixed: { cpu } },
})

/** Everything that the specs may depend on besides themselves. */
const anyFacts = () => {
  const ranges = oneOf<readonly LimitRange[]>([], [range('1')], [range('2')], [range('1'), range('2')])
  const classes = oneOf<readonly PriorityClass[]>([], [priorityClass('high', 5)], [priorityClass('usual', 3, true)])
  return {
    account: oneOf<ServiceAccount | undefined>(
      undefined,
      account({}),
      account({ automountServiceAccountToken: false }),
      account({ imagePullSecrets: [{ name: 'pull' }] }),
      account({ imagePullSecrets: [{ name: 'other' }] }),
    ),
    ranges,
    classes,
    runtime: oneOf<RuntimeClass | undefined>(undefined, runtime('1'), runtime('2')),
  }
}

type Facts = ReturnType<typeof anyFacts>

const SPECS: readonly PodSpec[] = [
  { containers: [container()] },
  { containers: [container({ resources: { requests: { cpu: '7' } } })], priorityClassName: 'high' },
  { containers: [container()], runtimeClassName: 'vm', tolerations: [{ operator: 'Exists' as const }] },
  { containers: [container()], imagePullSecrets: [{ name: 'own' }], automountServiceAccountToken: true },
  { containers: [container()], initContainers: [container({ name: 'first' })], serviceAccountName: 'default' },
].map((spec): PodSpec => sharedForm(spec, podSpecSchema))

function chainOver(facts: () => Facts) {
  const lists = new Map<unknown, (facts: Facts) => readonly KubeObject[]>([
    [limitRanges, ({ ranges }) => ranges],
    [priorityClasses, ({ classes }) => classes],
    [serviceAccounts, ({ account: one }) => (one ? [one] : [])],
    [runtimeClasses, ({ runtime: one }) => (one ? [one] : [])],
  ])
  const list = <T extends KubeObject>(definition: ResourceDefinition<T>) =>
    (lists.get(definition)?.(facts()) ?? []) as readonly T[]
  const view: AdmissionView = {
    list,
    get: (definition, { name }) => list(definition).find(({ metadata }) => metadata.name === name),
  }
  const parts = { view, random: seededRandom(1) }
  return admissionChain([
    limitRanger(parts),
    serviceAccount(parts),
    priority(parts),
    defaultTolerationSeconds(),
    runtimeClass(parts),
  ])
}

/** The pod that comes out, or why none does. */
async function admitted(chain: ReturnType<typeof chainOver>, spec: PodSpec): Promise<Pod | string> {
  const object: Pod = Object.freeze({ metadata: Object.freeze({ namespace: 'a', name: 'web' }), spec })
  const about = {
    operation: 'CREATE',
    definition: pods as ResourceDefinition,
    subresource: '',
    namespace: 'a',
  } as const
  const user = { name: 'somebody', groups: [] }
  const rest = { previous: undefined, dryRun: false, options: {}, warn: () => {} }
  try {
    return (await chain.mutate({ ...about, name: 'web', object, user, ...rest }, object)) as Pod
  } catch (error) {
    return messageOf(error)
  }
}

const specOf = (pod: Pod | string) => (typeof pod === 'string' ? pod : pod.spec)
const inForm = (pod: Pod | string) => (typeof pod === 'string' ? pod : canonical(pod, pods.schema))

test('specs come out as if nothing were remembered, and equal facts make one spec', async () => {
  let facts = anyFacts()
  const chain = chainOver(() => facts)
  for (let round = 0; round < 500; round++) {
    const spec = oneOf(...SPECS)
    await admitted(chain, spec)
    if (oneOf(true, false)) facts = { ...facts, ...oneOf<Partial<Facts>>(anyFacts(), { account: anyFacts().account }) }
    const made = await admitted(chain, spec)
    const plain = await admitted(
      chainOver(() => facts),
      deepFreeze(deepClone(spec)),
    )
    expect(inForm(made)).toEqual(inForm(plain))
    const own = specOf(made)
    expect(specOf(await admitted(chain, spec))).toBe(own)
    if (typeof own === 'object') expect([isShared(own), Object.isFrozen(own.containers)]).toEqual([true, true])
  }
})

test('of a spec that is not shared nothing is remembered', () => {
  const remembered = rememberedSpecs<string>()
  const spec = deepFreeze({ containers: [container()] })
  const made = ['a', 'b'].map((nodeName) => remembered(spec, 'facts', () => ({ ...spec, nodeName })))
  expect(made.map(({ nodeName }) => nodeName)).toEqual(['a', 'b'])
})

test('of a shared spec the last is remembered, and no refusal', () => {
  const remembered = rememberedSpecs<string>()
  const spec: PodSpec = sharedForm({ containers: [container()] }, podSpecSchema)
  const make = (facts: string, nodeName: string) => remembered(spec, facts, () => ({ ...spec, nodeName })).nodeName
  const refuse = () => remembered(spec, 'a', () => JSON.parse('{'))
  expect(refuse).toThrow()
  expect(refuse).toThrow()
  const made = [make('a', '1'), make('a', '2'), make('b', '3'), make('b', '4'), make('a', '5')]
  expect(made).toEqual(['1', '1', '3', '3', '5'])
})
