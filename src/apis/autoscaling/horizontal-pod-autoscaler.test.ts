import { describe, expect, test } from 'vitest'
import { findings, row, type Sent, statusFindings, updateFindings } from '../../../test/support/findings.ts'
import { horizontalPodAutoscalers as autoscalers } from './horizontal-pod-autoscaler.ts'

// Rows and messages: upstream's validation and printer tests.

const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
const autoscaler = (spec: object = {}): Sent => ({
  metadata: { name: 'web' },
  spec: { scaleTargetRef, maxReplicas: 5, ...spec },
})
const measured = (...metrics: readonly object[]) => autoscaler({ metrics })
const utilization = { type: 'Utilization', averageUtilization: 70 }
const average = { type: 'AverageValue', averageValue: '5' }
const cpu = (target: object = utilization) => ({ type: 'Resource', resource: { name: 'cpu', target } })
const external = (target: object) => ({ type: 'External', external: { metric: { name: 'queue' }, target } })
const object = (describedObject: object, target: object = average) => ({
  type: 'Object',
  object: { describedObject, metric: { name: 'requests' }, target },
})
const scaleUp = (rules: object) => autoscaler({ behavior: { scaleUp: rules } })
const percent = (parts: object = {}) => ({ type: 'Percent', value: 100, periodSeconds: 15, ...parts })

describe('an autoscaler', () => {
  test('measures the processor when it is not told what to measure', () => {
    const { spec } = autoscalers.default(autoscaler() as never)
    expect(spec).toMatchObject({ minReplicas: 1, metrics: [cpu({ type: 'Utilization', averageUtilization: 80 })] })
    expect(spec.behavior).toBeUndefined()
  })

  test('that says something about its speed says all of it', () => {
    const { behavior } = autoscalers.default(
      scaleUp({ stabilizationWindowSeconds: 60, tolerance: '0.1' }) as never,
    ).spec
    const pods = { type: 'Pods', value: 4, periodSeconds: 15 }
    expect(behavior).toEqual({
      scaleUp: {
        stabilizationWindowSeconds: 60,
        selectPolicy: 'Max',
        policies: [pods, percent()],
        tolerance: '0.1',
      },
      scaleDown: { selectPolicy: 'Max', policies: [percent()] },
    })
  })

  for (const [sent, ...expected] of [
    [autoscaler({ minReplicas: 1 })],
    [autoscaler({ scaleTargetRef: { kind: 'ReplicationController', name: 'web' } })],
    [measured(object({ kind: 'Service', name: 'web' }), external({ type: 'Value', value: '30' }))],
    [
      measured({
        type: 'ContainerResource',
        containerResource: { name: 'memory', container: 'app', target: average },
      }),
    ],
    [autoscaler({ minReplicas: -1 }), 'spec.minReplicas: Invalid value: -1: must be greater than or equal to 1'],
    [
      autoscaler({ maxReplicas: 0 }),
      'spec.maxReplicas: Required value: must be set and greater than 0',
      'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
    ],
    [
      autoscaler({ minReplicas: 7 }),
      'spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`',
    ],
    [autoscaler({ scaleTargetRef: { ...scaleTargetRef, kind: '' } }), 'spec.scaleTargetRef.kind: Required value'],
    [
      autoscaler({ scaleTargetRef: { ...scaleTargetRef, name: '..' } }),
      `spec.scaleTargetRef.name: Invalid value: "..": may not be '..'`,
    ],
    [
      autoscaler({ scaleTargetRef: { kind: 'Deployment', name: 'web' } }),
      'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
    ],
    [
      autoscaler({ scaleTargetRef: { ...scaleTargetRef, apiVersion: 'a/b/c' } }),
      'spec.scaleTargetRef.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
    ],
    [
      measured({ type: 'Other' }),
      'spec.metrics[0].type: Unsupported value: "Other": supported values: ' +
        '"ContainerResource", "External", "Object", "Pods", "Resource"',
      'spec.metrics[0].type: Unsupported value: "Other": supported values: ' +
        '"ContainerResource", "External", "Object", "Pods", "Resource"',
    ],
    [
      measured({ type: 'Pods' }),
      'spec.metrics[0].pods: Required value: must populate information for the given metric source',
    ],
    [
      measured({ ...cpu(), pods: { metric: { name: 'a' }, target: average } }),
      'spec.metrics[0].pods: Forbidden: must populate the given metric source only',
    ],
    [
      measured(cpu({ type: 'Utilization', averageUtilization: 0 })),
      'spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0',
    ],
    [
      measured(cpu({ type: 'Utilization' })),
      'spec.metrics[0].resource.target.averageUtilization: Required value: ' +
        'must set either a target raw value or a target utilization',
    ],
    [
      measured(cpu({ ...utilization, averageValue: '1' })),
      'spec.metrics[0].resource.target.averageValue: Forbidden: ' +
        'may not set both a target raw value and a target utilization',
    ],
    [
      measured(external({ type: 'Value', value: '0' })),
      'spec.metrics[0].external.target.value: Invalid value: "0": must be positive',
    ],
    [
      measured(external({ type: 'Value', value: '1', averageValue: '1' })),
      'spec.metrics[0].external.target.value: Forbidden: ' +
        'may not set both a target value for metric and a per-pod target',
    ],
    [
      measured(cpu({ ...utilization, type: 'Guess' })),
      'spec.metrics[0].resource.target.type: Invalid value: "Guess": ' +
        'must be either Utilization, Value, or AverageValue',
    ],
    [
      measured(object({ kind: 'Service', name: 'web', apiVersion: 'a/b/c' })),
      'spec.metrics[0].object.describedObject.apiVersion: Invalid value: "a/b/c": ' +
        'unexpected GroupVersion string: a/b/c',
    ],
    [
      scaleUp({ stabilizationWindowSeconds: 3601 }),
      'spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600',
    ],
    [
      scaleUp({ selectPolicy: 'Any' }),
      'spec.behavior.scaleUp.selectPolicy: Unsupported value: "Any": supported values: "Disabled", "Max", "Min"',
    ],
    [scaleUp({ policies: [] }), 'spec.behavior.scaleUp.policies: Required value: must specify at least one Policy'],
    [
      scaleUp({ policies: [percent({ value: 0 }), percent({ periodSeconds: 1801 })] }),
      'spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero',
      'spec.behavior.scaleUp.policies[1].periodSeconds: Invalid value: 1801: must be less than or equal to 1800',
    ],
    [
      scaleUp({ tolerance: '-0.1' }),
      'spec.behavior.scaleUp.tolerance: Invalid value: "-100m": must be greater than or equal to 0',
    ],
  ] as const) {
    test(`with ${JSON.stringify(sent.spec)} is ${expected.length === 0 ? 'taken' : 'refused'}`, () => {
      expect(findings(autoscalers, sent).map((line) => line.slice(line.indexOf(' ') + 1))).toEqual(expected)
    })
  }

  test('may keep what would be refused anew', () => {
    const odd = autoscaler({
      scaleTargetRef: { kind: 'Deployment', name: 'web' },
      minReplicas: 0,
      metrics: [external(average)],
    })
    const changed = { ...odd, spec: { ...(odd.spec as object), maxReplicas: 7 } }
    expect(updateFindings(autoscalers, changed, odd)).toEqual([])
    expect(updateFindings(autoscalers, changed, autoscaler())).toHaveLength(2)
  })

  test('counts replicas from zero', () => {
    const sent = { ...autoscaler(), status: { currentReplicas: -1, desiredReplicas: -2 } }
    expect(statusFindings(autoscalers.status, sent, autoscaler())).toHaveLength(2)
  })

  test('shows two metrics and how many more', () => {
    const metrics = [cpu(), external(average), object({ kind: 'Service', name: 'web' })]
    const currentMetrics = [
      { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 10, averageValue: '100m' } } },
    ]
    const status = { currentReplicas: 2, desiredReplicas: 2, currentMetrics }
    expect(row(autoscalers, { ...autoscaler({ minReplicas: 2, metrics }), status })).toMatchObject({
      Reference: 'Deployment/web',
      Targets: 'cpu: 10%/70%, <unknown>/5 (avg) + 1 more...',
      MinPods: '2',
      MaxPods: 5,
      Replicas: 2,
    })
  })
})
