/** What quotas say to writes, as a table. */

import { describe, expect, test } from 'vitest'
import { container, pod, service } from '../../../../../test/support/builders.ts'
import { quotaEvaluator } from '../../../../apis/core/quota/evaluators.ts'
import type { ResourceQuota, ResourceQuotaSpec } from '../../../../apis/core/types.gen.ts'
import type { KubeObject } from '../../../../machinery/meta/object.ts'
import { checkQuotas } from './check.ts'

type Amounts = Readonly<Record<string, string>>

const quota = (hard: Amounts, used: Amounts, spec: ResourceQuotaSpec = {}, name = 'team'): ResourceQuota => ({
  metadata: { name },
  spec: { hard, ...spec },
  status: { hard, used },
})

function check(quotas: readonly ResourceQuota[], resource: string, object: KubeObject, previous?: KubeObject) {
  const evaluator = quotaEvaluator('', resource)
  if (!evaluator) throw new Error(`${resource} are not counted`)
  const write = { operation: previous ? 'UPDATE' : 'CREATE', subresource: '', object, previous }
  const verdict = checkQuotas(quotas, write, evaluator, 0)
  return verdict.result === 'refused' ? verdict.detail : verdict.charged.map(({ after }) => after.status?.used)
}

const sized = (cpu: string, memory = '1Gi') =>
  pod({ spec: { containers: [container({ resources: { requests: { cpu, memory } } })] } })

describe('a new pod', () => {
  const table: readonly [string, ResourceQuota, KubeObject, unknown][] = [
    ['fits', quota({ pods: '2', cpu: '2' }, { pods: '1', cpu: '1' }), sized('1'), [{ cpu: '2', pods: '2' }]],
    [
      'is one too many',
      quota({ pods: '2' }, { pods: '2' }),
      pod(),
      'exceeded quota: team, requested: pods=1, used: pods=2, limited: pods=2',
    ],
    [
      'asks for too much of two things',
      quota({ cpu: '1', memory: '1Gi', pods: '5' }, { cpu: '500m', memory: '512Mi', pods: '1' }),
      sized('600m'),
      'exceeded quota: team, requested: cpu=600m,memory=1Gi, used: cpu=500m,memory=512Mi, limited: cpu=1,memory=1Gi',
    ],
    [
      'does not say what the quota limits',
      quota({ 'requests.cpu': '1' }, { 'requests.cpu': '0' }),
      pod(),
      'failed quota: team: must specify requests.cpu for: app',
    ],
    [
      'meets a quota that has not been counted yet',
      quota({ pods: '1', cpu: '1' }, {}),
      sized('1'),
      'status unknown for quota: team, resources: cpu,pods',
    ],
    ['is outside of the scope', quota({ pods: '0' }, { pods: '0' }, { scopes: ['Terminating'] }), pod(), []],
    ['is none of the business of the quota', quota({ services: '0' }, { services: '0' }), pod(), []],
    [
      'asks for a negative amount',
      quota({ cpu: '1' }, { cpu: '0' }),
      sized('-1'),
      'quota usage is negative for resource(s): cpu,requests.cpu',
    ],
  ]
  test.each(table)('%s', (_, subject, object, expected) => {
    expect(check([subject], 'pods', object)).toEqual(expected)
  })

  test('is charged to every quota, or to none', () => {
    const wide = quota({ pods: '5' }, { pods: '1' }, {}, 'wide')
    expect(check([wide, quota({ pods: '3' }, { pods: '2' })], 'pods', pod())).toEqual([{ pods: '2' }, { pods: '3' }])
    expect(check([wide, quota({ pods: '2' }, { pods: '2' })], 'pods', pod())).toMatch(/^exceeded quota: team/)
  })
})

describe('an update', () => {
  const nodePorts = quota({ 'services.nodeports': '1', services: '1' }, { 'services.nodeports': '0', services: '1' })
  const ofType = (type: 'ClusterIP' | 'NodePort') => service({ spec: { type } })

  test('is charged with what it uses more', () => {
    expect(check([nodePorts], 'services', ofType('NodePort'), ofType('ClusterIP'))).toEqual([
      { services: '1', 'services.nodeports': '1' },
    ])
  })

  test('gives nothing back here: the controller counts', () => {
    expect(check([nodePorts], 'services', ofType('ClusterIP'), ofType('NodePort'))).toEqual([])
  })

  test('that brings the object into the scope is charged in full', () => {
    const scoped = quota({ pods: '1' }, { pods: '0' }, { scopes: ['Terminating'] })
    const ending = pod({ spec: { activeDeadlineSeconds: 10 } })
    expect(check([scoped], 'pods', ending, pod())).toEqual([{ pods: '1' }])
  })
})
