import { describe, expect, test } from 'vitest'
import {
  container,
  daemonSet,
  deployment,
  podTemplate,
  replicaSet,
  statefulSet,
} from '../../../test/support/builders.ts'
import {
  findings,
  NOW_MS,
  row,
  type Sent,
  statusFindings,
  updateFindings,
  writeContext,
} from '../../../test/support/findings.ts'
import { controllerRevisions } from './controller-revision.ts'
import { daemonSets } from './daemon-set.ts'
import { deployments } from './deployment.ts'
import { replicaSets } from './replica-set.ts'
import { statefulSets } from './stateful-set.ts'

// Goal: defaults, rules and columns of the workloads. Method: tables of what is sent and what is answered.

const sent = (object: object): Sent => ({ metadata: {}, ...object })

describe('deployments', () => {
  const rules: readonly (readonly [behaviour: string, object: object, expected: readonly string[]])[] = [
    ['accepts the smallest one', deployment(), []],
    [
      'refuses a negative number of replicas',
      deployment({ spec: { replicas: -1 } }),
      ['FieldValueInvalid spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'refuses an empty selector',
      deployment({ spec: { selector: {} } }),
      ['FieldValueInvalid spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
    ],
    [
      'refuses a template that the selector does not pick',
      deployment({ spec: { template: podTemplate({ app: 'other' }) } }),
      [
        'FieldValueInvalid spec.template.metadata.labels: Invalid value: {"app":"other"}: ' +
          '`selector` does not match template `labels`',
      ],
    ],
    [
      'refuses pods that end',
      deployment({
        spec: { template: { ...podTemplate(), spec: { containers: [container()], restartPolicy: 'Never' } } },
      }),
      [
        'FieldValueNotSupported spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      ],
    ],
    [
      'refuses a rolling update that cannot move',
      deployment({
        spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
      }),
      [
        'FieldValueInvalid spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": ' +
          'may not be 0 when `maxSurge` is 0',
      ],
    ],
    [
      'refuses rolling parameters for Recreate',
      deployment({ spec: { strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } } }),
      [
        'FieldValueForbidden spec.strategy.rollingUpdate: Forbidden: ' +
          "may not be specified when strategy `type` is 'Recreate'",
      ],
    ],
    [
      'refuses a deadline before a pod can count as available',
      deployment({ spec: { minReadySeconds: 600 } }),
      ['FieldValueInvalid spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds'],
    ],
  ]
  for (const [behaviour, object, expected] of rules)
    test(behaviour, () => expect(findings(deployments, sent(object))).toEqual(expected))

  test('fills in replicas, history, deadline and strategy', () => {
    const { selector: _, template, ...spec } = deployments.default(deployment()).spec
    expect(spec).toEqual({
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
    })
    expect(template.spec?.restartPolicy).toBe('Always')
  })

  test('keeps its selector', () => {
    const changed = deployment({ spec: { selector: { matchLabels: { app: 'api' } } } })
    expect(updateFindings(deployments, sent(changed), sent(deployment()))).toEqual([
      'FieldValueInvalid spec.selector: Invalid value: {"matchLabels":{"app":"api"}}: field is immutable',
    ])
  })

  test('counts a generation for a new spec and for new annotations, not for labels', () => {
    const before = { ...deployment(), metadata: { name: 'web', generation: 3 } }
    const generation = (changed: object) =>
      deployments.prepareForUpdate({ ...before, ...changed }, before, writeContext).metadata.generation
    expect(generation({ spec: { ...before.spec, replicas: 5 } })).toBe(4)
    expect(generation({ metadata: { ...before.metadata, annotations: { a: 'b' } } })).toBe(4)
    expect(generation({ metadata: { ...before.metadata, labels: { a: 'b' } } })).toBe(3)
  })

  test('refuses a status with more ready than existing pods', () => {
    const status = { replicas: 1, readyReplicas: 2 }
    expect(statusFindings(deployments.status, sent(deployment({ status })), sent(deployment()))).toEqual([
      'FieldValueInvalid status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
    ])
  })

  test('shows a wide row', () => {
    const created = new Date(NOW_MS - 300_000).toISOString()
    const status = { replicas: 3, readyReplicas: 2, updatedReplicas: 3, availableReplicas: 2 }
    const object = deployment({ metadata: { creationTimestamp: created }, spec: { replicas: 3 }, status })
    expect(row(deployments, sent(object))).toEqual({
      Name: 'web',
      Ready: '2/3',
      'Up-to-date': 3,
      Available: 2,
      Age: '5m',
      Containers: 'app',
      Images: 'registry.example/app:1',
      Selector: 'app=web',
    })
  })

  test('is scaled through its replicas', () => {
    const { scale } = deployments
    const object = deployment({ spec: { replicas: 2 }, status: { replicas: 1 } })
    expect(scale?.withReplicas(object, 7).spec.replicas).toBe(7)
    expect([scale?.replicas(object), scale?.statusReplicas(object), scale?.selector(object)]).toEqual([2, 1, 'app=web'])
  })
})

describe('stateful sets', () => {
  test('fill in their policies', () => {
    const { selector: _, template: __, ...spec } = statefulSets.default(statefulSet()).spec
    expect(spec).toEqual({
      serviceName: 'web',
      replicas: 1,
      revisionHistoryLimit: 10,
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    })
  })

  test('leave an explicit strategy as it is', () => {
    const object = statefulSet({ spec: { updateStrategy: { type: 'RollingUpdate' } } })
    expect(statefulSets.default(object).spec.updateStrategy).toEqual({ type: 'RollingUpdate' })
  })

  test('refuse changes of what is fixed, and take the others', () => {
    const before = sent(statefulSet())
    expect(
      updateFindings(statefulSets, sent(statefulSet({ spec: { replicas: 9, minReadySeconds: 1 } })), before),
    ).toEqual([])
    expect(updateFindings(statefulSets, sent(statefulSet({ spec: { serviceName: 'other' } })), before)).toEqual([
      'FieldValueForbidden spec: Forbidden: updates to statefulset spec for fields other than ' +
        "'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', " +
        "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ])
  })

  test('mount the volumes of their claims, which the template does not have', () => {
    const claim = {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'] as const, resources: { requests: { storage: '1Gi' } } },
    }
    const mounting = container({ volumeMounts: [{ name: 'data', mountPath: '/data' }] })
    const template = { ...podTemplate(), spec: { containers: [mounting] } }
    const object = statefulSet({ spec: { template, volumeClaimTemplates: [claim] } })
    expect(findings(statefulSets, sent(object))).toEqual([])
    expect(statefulSets.default(object).spec.volumeClaimTemplates?.[0]).toMatchObject({
      kind: 'PersistentVolumeClaim',
      spec: { volumeMode: 'Filesystem' },
      status: { phase: 'Pending' },
    })
  })

  test('refuse rolling parameters for OnDelete', () => {
    const object = statefulSet({ spec: { updateStrategy: { type: 'OnDelete', rollingUpdate: { partition: 1 } } } })
    expect(findings(statefulSets, sent(object))).toEqual([
      'FieldValueInvalid spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: ' +
        "only allowed for updateStrategy 'RollingUpdate'",
    ])
  })
})

describe('daemon sets', () => {
  test('fill rolling parameters in with nothing for OnDelete', () => {
    const object = daemonSet({ spec: { updateStrategy: { type: 'OnDelete', rollingUpdate: { maxSurge: 1 } } } })
    expect(daemonSets.default(object).spec.updateStrategy).toEqual({
      type: 'OnDelete',
      rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
    })
  })

  test('fill in a rolling update of one node at a time', () => {
    expect(daemonSets.default(daemonSet()).spec.updateStrategy).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxUnavailable: 1, maxSurge: 0 },
    })
  })

  test('refuse to surge while nodes may be without a pod', () => {
    const rollingUpdate = { maxSurge: 1, maxUnavailable: 1 }
    const object = daemonSet({ spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate } } })
    expect(findings(daemonSets, sent(object))).toEqual([
      'FieldValueInvalid spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: ' +
        'may not be set when maxUnavailable is non-zero',
    ])
  })

  test('count the changes of their template', () => {
    const created = daemonSets.prepareForCreate(daemonSet(), writeContext)
    const changed = { ...created, spec: { ...created.spec, template: podTemplate({ app: 'web', v: '2' }) } }
    const generation = (object: typeof created) =>
      object.metadata.annotations?.['deprecated.daemonset.template.generation']
    expect(generation(created)).toBe('1')
    expect(generation(daemonSets.prepareForUpdate(changed, created, writeContext))).toBe('2')
    expect(generation(daemonSets.prepareForUpdate(created, created, writeContext))).toBe('1')
  })
})

describe('replica sets', () => {
  test('demand a selector', () => {
    const { selector: _, ...spec } = replicaSet().spec
    expect(findings(replicaSets, sent({ ...replicaSet(), spec }))).toEqual([
      'FieldValueRequired spec.selector: Required value',
      'FieldValueInvalid spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    ])
  })

  test('drop the status that a client creates them with', () => {
    expect(replicaSets.prepareForCreate(replicaSet({ status: { replicas: 3 } }), writeContext)).not.toHaveProperty(
      'status',
    )
  })
})

describe('controller revisions', () => {
  test('name their controller with its group', () => {
    const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'u', controller: true }
    const object = { metadata: { name: 'web-1', ownerReferences: [owner] }, data: {}, revision: 4 }
    expect(row(controllerRevisions, object)).toMatchObject({ Controller: 'statefulset.apps/web', Revision: 4 })
  })

  test('demand data and never change it', () => {
    expect(findings(controllerRevisions, sent({ revision: 1 }))).toEqual([
      'FieldValueRequired data: Required value: data is mandatory',
    ])
    expect(updateFindings(controllerRevisions, sent({ data: { a: 2 } }), sent({ data: { a: 1 } }))).toEqual([
      'FieldValueInvalid data: Invalid value: {"a":2}: field is immutable',
    ])
  })
})
