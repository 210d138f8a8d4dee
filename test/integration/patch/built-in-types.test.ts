/** Patches and field ownership with the schemas of built-in types: the entries are those of a real API server. */

import { expect, test } from 'vitest'
import { builtinSchema } from '../../../src/apis/builtin-schema.ts'
import { deepFreeze } from '../../../src/base/deep-freeze.ts'
import type { KubeObject } from '../../../src/machinery/meta/object.ts'
import { serverSideApply } from '../../../src/machinery/patch/apply.ts'
import { trackUpdate } from '../../../src/machinery/patch/managed-fields.ts'
import { applyStrategicMergePatch } from '../../../src/machinery/patch/strategic-merge.ts'
import { emptyObjectOf } from '../../../src/machinery/patch/typed-value.ts'

const deploymentSchema = builtinSchema('apps.v1.Deployment')
const base = { apiVersion: 'apps/v1', subresource: '', nowText: '2026-01-01T00:00:00Z', schema: deploymentSchema }

interface Deployment extends KubeObject {
  readonly spec: object
}

const deployment: Deployment = deepFreeze({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z', generation: 1 },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [{ name: 'nginx', image: 'nginx', ports: [{ containerPort: 80, protocol: 'TCP' }], resources: {} }],
        restartPolicy: 'Always',
        securityContext: {},
      },
    },
  },
  status: {},
})

test('the creator of a Deployment owns what kubectl create shows', () => {
  const tracked = trackUpdate({
    ...base,
    live: undefined,
    updated: deployment,
    manager: 'kubectl-create',
    operation: 'Update',
    resetFields: [['status']],
  })
  expect(tracked.metadata.managedFields?.[0]?.fieldsV1).toEqual({
    'f:spec': {
      'f:replicas': {},
      'f:selector': {},
      'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {}, 'f:maxUnavailable': {} }, 'f:type': {} },
      'f:template': {
        'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
        'f:spec': {
          'f:containers': {
            'k:{"name":"nginx"}': {
              '.': {},
              'f:image': {},
              'f:name': {},
              'f:ports': {
                '.': {},
                'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} },
              },
              'f:resources': {},
            },
          },
          'f:restartPolicy': {},
          'f:securityContext': {},
        },
      },
    },
  })
})

test('an apply without a protocol finds the port that the server defaulted', () => {
  const applied = (name: string): Deployment => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: { template: { spec: { containers: [{ name: 'nginx', ports: [{ containerPort: 80, name }] }] } } },
  })
  const request = { ...base, live: deployment, manager: 'me', force: false, resetFields: [] }
  const merged = serverSideApply({ ...request, applied: applied('http') })
  expect(merged.spec).toMatchObject({
    template: {
      spec: {
        containers: [{ name: 'nginx', image: 'nginx', ports: [{ containerPort: 80, name: 'http', protocol: 'TCP' }] }],
      },
    },
  })
})

test('a strategic merge patch knows the keys and strategies of a Deployment', () => {
  const patch = {
    spec: {
      strategy: { $retainKeys: ['type'], type: 'Recreate' },
      template: { spec: { containers: [{ name: 'nginx', image: 'nginx:2', ports: [{ containerPort: 81 }] }] } },
    },
  }
  expect(applyStrategicMergePatch(deployment, patch, deploymentSchema)).toMatchObject({
    spec: {
      strategy: { type: 'Recreate' },
      template: {
        spec: {
          containers: [
            {
              name: 'nginx',
              image: 'nginx:2',
              ports: [{ containerPort: 81 }, { containerPort: 80, protocol: 'TCP' }],
            },
          ],
        },
      },
    },
  })
})

test('before anything is set, a Deployment has its structs', () => {
  expect(emptyObjectOf(deploymentSchema)).toMatchObject({
    metadata: {},
    spec: { selector: null, strategy: {}, template: { metadata: {}, spec: { containers: null } } },
    status: {},
  })
})
