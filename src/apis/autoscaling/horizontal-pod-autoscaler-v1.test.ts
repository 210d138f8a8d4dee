import { describe, expect, test } from 'vitest'
import { findings, row, writeContext } from '../../../test/support/findings.ts'
import { deepFreeze } from '../../base/deep-freeze.ts'
import { canonical } from '../../machinery/schema/canonical.ts'
import { autoscalerSchema, defaultAutoscaler } from './horizontal-pod-autoscaler.ts'
import { horizontalPodAutoscalersV1 as autoscalers } from './horizontal-pod-autoscaler-v1.ts'
import type { HorizontalPodAutoscaler } from './types.gen.ts'
import type { HorizontalPodAutoscaler as AutoscalerV1 } from './types-v1.gen.ts'

const PREFIX = 'autoscaling.alpha.kubernetes.io'
const scaleTargetRef = { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' }
const service = { kind: 'Service', name: 's' }

/** In the form in which it is stored. */
const stored = deepFreeze(
  canonical(
    defaultAutoscaler({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'a', annotations: { own: 'kept' } },
      spec: {
        scaleTargetRef,
        maxReplicas: 3,
        behavior: { scaleUp: { tolerance: '0.05' } },
        metrics: [
          { type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 60 } } },
          {
            type: 'Object',
            object: {
              describedObject: service,
              metric: { name: 'm', selector: { matchLabels: { a: 'b' } } },
              target: { type: 'AverageValue', averageValue: '5' },
            },
          },
          { type: 'External', external: { metric: { name: 'q' }, target: { type: 'Value', value: '30' } } },
          { type: 'Pods', pods: { metric: { name: 'p' }, target: { type: 'AverageValue', averageValue: '1k' } } },
          {
            type: 'ContainerResource',
            containerResource: {
              name: 'cpu',
              container: 'app',
              target: { type: 'Utilization', averageUtilization: 60 },
            },
          },
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
        ],
      },
      status: {
        currentReplicas: 1,
        desiredReplicas: 2,
        conditions: [
          {
            type: 'AbleToScale',
            status: 'True',
            reason: 'r',
            message: 'm',
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ],
        currentMetrics: [
          { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 10, averageValue: '100m' } } },
          {
            type: 'Object',
            object: { describedObject: service, metric: { name: 'm' }, current: { value: '0', averageValue: '5' } },
          },
          { type: 'External', external: { metric: { name: 'q' }, current: { value: '3' } } },
          { type: 'Pods', pods: { metric: { name: 'p' }, current: { averageValue: '1k' } } },
        ],
      },
    }),
    autoscalerSchema,
  ),
)

// What kube-apiserver 1.36.3 answers for the stored one above.
const shown = {
  kind: 'HorizontalPodAutoscaler',
  apiVersion: 'autoscaling/v1',
  metadata: {
    name: 'a',
    annotations: {
      [`${PREFIX}/behavior`]:
        '{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,' +
        '"PeriodSeconds":15},{"Type":"Percent","Value":100,"PeriodSeconds":15}],"Tolerance":"50m"},"ScaleDown":{' +
        '"StabilizationWindowSeconds":null,"SelectPolicy":"Max","Policies":[{"Type":"Percent","Value":100,' +
        '"PeriodSeconds":15}],"Tolerance":null}}',
      [`${PREFIX}/conditions`]:
        '[{"type":"AbleToScale","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z","reason":"r","message":"m"}]',
      [`${PREFIX}/current-metrics`]:
        '[{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":10,"currentAverageValue":"100m"}},' +
        '{"type":"Object","object":{"target":{"kind":"Service","name":"s"},"metricName":"m","currentValue":"0",' +
        '"averageValue":"5"}},{"type":"External","external":{"metricName":"q","currentValue":"3"}},' +
        '{"type":"Pods","pods":{"metricName":"p","currentAverageValue":"1k"}}]',
      [`${PREFIX}/metrics`]:
        '[{"type":"Resource","resource":{"name":"memory","targetAverageUtilization":60}},{"type":"Object","object":{' +
        '"target":{"kind":"Service","name":"s"},"metricName":"m","targetValue":"0","selector":{"matchLabels":{"a":"b"}},' +
        '"averageValue":"5"}},{"type":"External","external":{"metricName":"q","targetValue":"30"}},{"type":"Pods",' +
        '"pods":{"metricName":"p","targetAverageValue":"1k"}},{"type":"ContainerResource","containerResource":{' +
        '"name":"cpu","targetAverageUtilization":60,"container":"app"}}]',
      own: 'kept',
    },
  },
  spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 3, targetCPUUtilizationPercentage: 50 },
  status: { currentReplicas: 1, desiredReplicas: 2, currentCPUUtilizationPercentage: 10 },
}

const toStored = (object: object) => autoscalers.conversion?.toStored?.(deepFreeze(object) as AutoscalerV1)
const sent = (spec: object = {}, annotations: Readonly<Record<string, string>> = {}) => ({
  metadata: { name: 'a', annotations },
  spec: { scaleTargetRef, maxReplicas: 3, ...spec },
})

describe('version 1 of an autoscaler', () => {
  test('carries in annotations what it has no fields for', () => {
    expect(autoscalers.conversion?.fromStored(stored)).toEqual(shown)
  })

  test('is stored as version 2, with nothing lost', () => {
    expect(toStored(shown)).toEqual(stored)
  })

  test('has the processor as its metric unless there are others', () => {
    const spec = (object: ReturnType<typeof sent>) => autoscalers.default(object as never).spec
    expect(spec(sent())).toEqual({
      scaleTargetRef,
      minReplicas: 1,
      maxReplicas: 3,
      targetCPUUtilizationPercentage: 80,
    })
    const metrics = '[{"type":"Resource","resource":{"name":"memory","targetAverageUtilization":60}}]'
    expect(spec(sent({}, { [`${PREFIX}/metrics`]: metrics }))).not.toHaveProperty('targetCPUUtilizationPercentage')
  })

  for (const text of ['', 'null', '{', '[1]', '[{"type":5}]', '[{"type":"Pods","pods":{"metricName":{}}}]']) {
    test(`passes over the annotation ${JSON.stringify(text)}`, () => {
      const carried = { [`${PREFIX}/metrics`]: text, [`${PREFIX}/behavior`]: text, [`${PREFIX}/conditions`]: text }
      expect(toStored(autoscalers.default(sent({}, carried) as never))).toMatchObject({
        spec: { maxReplicas: 3, minReplicas: 1 },
      })
    })
  }

  test('is judged as version 2', () => {
    const metrics = '[{"type":"Resource","resource":{"name":"memory","targetAverageUtilization":0}}]'
    const carried = { [`${PREFIX}/metrics`]: metrics, [`${PREFIX}/behavior`]: '{"scaleUp":{}}' }
    expect(findings(autoscalers, sent({}, carried))).toEqual([
      'FieldValueInvalid spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0',
      'FieldValueRequired spec.behavior.scaleUp.policies: Required value: must specify at least one Policy',
    ])
  })

  test('is created without a status, wherever that is written', () => {
    const created = autoscalers.prepareForCreate(autoscalers.default(deepFreeze(shown) as AutoscalerV1), writeContext)
    expect(created.status).toEqual({ currentReplicas: 0, desiredReplicas: 0 })
    expect(Object.keys(created.metadata.annotations ?? {}).toSorted()).toEqual([
      `${PREFIX}/behavior`,
      `${PREFIX}/metrics`,
      'own',
    ])
  })

  test('keeps its spec when the status changes', () => {
    const previous = autoscalers.conversion?.fromStored(stored as HorizontalPodAutoscaler) as AutoscalerV1
    const next = { ...sent({ maxReplicas: 9 }), status: { currentReplicas: 3, desiredReplicas: 3 } }
    const updated = autoscalers.status?.prepareForUpdate(next as AutoscalerV1, previous, writeContext)
    expect(updated).toMatchObject({ spec: shown.spec, status: { currentReplicas: 3 } })
    expect(updated?.metadata.annotations).toHaveProperty(`${PREFIX}/metrics`)
    expect(updated?.metadata.annotations).not.toHaveProperty(`${PREFIX}/conditions`)
  })

  test('shows the metrics of version 2', () => {
    expect(row(autoscalers, shown)).toMatchObject({ Targets: 'memory: 10%/60%, 5/5 (avg) + 4 more...' })
  })
})
