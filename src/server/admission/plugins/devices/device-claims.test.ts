import { describe, expect, test } from 'vitest'
import type { ResourceDefinition } from '../../../../apis/definition.ts'
import { resourceClaims } from '../../../../apis/resource/resource-claim.ts'
import { resourceClaimTemplates } from '../../../../apis/resource/resource-claim-template.ts'
import { messageOf } from '../../../../base/error-text.ts'
import type { KubeObject } from '../../../../machinery/meta/object.ts'
import { type Attributes, NO_OPINION } from '../../../auth/authorizer.ts'
import type { AdmissionAttributes } from '../../../registry/admission-hooks.ts'
import { deviceClaims } from './device-claims.ts'

const devices = { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu', adminAccess: true } }] }
const NOT_MARKED = 'requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace'
const metadata = { name: 'mine', namespace: 'team' }
const claim = (status?: object): KubeObject => ({ metadata, ...{ spec: {}, ...(status && { status }) } })
const result = { request: 'gpu', driver: 'gpu.example.com', pool: 'a', device: 'one' }
const onNode = (name: string) => ({
  devices: { results: [result] },
  nodeSelector: {
    nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }],
  },
})
const device = (driver: string) => ({ driver, pool: 'a', device: 'one' })

interface Situation {
  readonly definition?: ResourceDefinition<never>
  readonly previous?: KubeObject
  readonly labels?: Readonly<Record<string, string>>
  /** `verb subresource name` of what the caller may do. */
  readonly may?: readonly string[]
}

async function refusal(object: KubeObject, { definition, previous, labels = {}, may = [] }: Situation = {}) {
  const plugin = deviceClaims({
    view: { get: async () => ({ metadata: { name: 'team', labels } }) as never, list: async () => [] },
    authorization: {
      authorizer: {
        authorize: ({ verb, subresource, name }: Attributes) =>
          may.includes(`${verb} ${subresource} ${name}`.trim()) ? { verdict: 'allow', reason: '' } : NO_OPINION,
      },
      roles: { rightsOf: async () => ({ rules: [], errors: [] }), rulesOfRole: async () => undefined },
    },
  })
  const attributes: AdmissionAttributes = {
    operation: previous ? 'UPDATE' : 'CREATE',
    definition: (definition ?? resourceClaims) as never,
    subresource: previous ? 'status' : '',
    ...metadata,
    object,
    previous,
    user: {
      name: 'system:serviceaccount:kube-system:driver',
      uid: '',
      groups: [],
      extra: { 'authentication.kubernetes.io/node-name': ['worker'] },
    },
    dryRun: false,
    options: { kind: 'UpdateOptions' },
    warn: () => {},
  }
  try {
    await plugin.validate?.(attributes)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

describe('administrators’ access', () => {
  const asking: KubeObject = { metadata, ...{ spec: { devices } } }

  test('is for namespaces that are marked for it', async () => {
    expect(await refusal(asking)).toContain(`spec.devices.requests[0].adminAccess: Forbidden: admin access`)
    expect(await refusal(asking)).toContain(NOT_MARKED)
    expect(await refusal(asking, { labels: { 'resource.kubernetes.io/admin-access': 'true' } })).toBeUndefined()
  })

  test('is not smuggled in by templates', async () => {
    const template: KubeObject = { metadata, ...{ spec: { spec: { devices } } } }
    expect(await refusal(template, { definition: resourceClaimTemplates as never })).toContain(NOT_MARKED)
  })
})

describe('the status of a claim', () => {
  const allocation = onNode('worker')

  test('is allocated by who may bind claims', async () => {
    const said = await refusal(claim({ allocation }), { previous: claim() })
    expect(said).toContain('requires resource="resourceclaims/binding", verb="update" permission: ')
    expect(await refusal(claim({ allocation }), { previous: claim(), may: ['update binding'] })).toBeUndefined()
    expect(await refusal(claim({ allocation }), { previous: claim({ allocation }) })).toBeUndefined()
  })

  const verbs: readonly [string, string, readonly string[], boolean][] = [
    ['nobody', 'worker', [], false],
    ['a driver on the node', 'worker', ['associated-node:update driver gpu.example.com'], true],
    ['a driver on another node', 'elsewhere', ['associated-node:update driver gpu.example.com'], false],
    ['a driver of all nodes', 'elsewhere', ['arbitrary-node:update driver gpu.example.com'], true],
    ['the driver of others', 'worker', ['associated-node:update driver other.example.com'], false],
  ]
  test.each(verbs)('is told by %s (allocated on %s)', async (_, node, may, allowed) => {
    const previous = claim({ allocation: onNode(node) })
    const said = await refusal(claim({ allocation: onNode(node), devices: [device('gpu.example.com')] }), {
      previous,
      may,
    })
    if (allowed) expect(said).toBeUndefined()
    else expect(said).toContain('changing status.devices requires resource="resourceclaims/driver", verb="[')
  })
})
