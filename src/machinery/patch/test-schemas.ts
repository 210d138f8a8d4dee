/** Small schemas for the tests of this folder, shaped like the built-in ones. */

import type { Schema } from '../schema/schema.ts'

const text: Schema = { type: 'string' }
const number: Schema = { type: 'integer', format: 'int32' }

const portSchema: Schema = {
  type: 'object',
  properties: { containerPort: number, name: text, protocol: { type: 'string', default: 'TCP' } },
}

const containerSchema: Schema = {
  type: 'object',
  definition: 'core.v1.Container',
  properties: {
    name: text,
    image: text,
    args: { type: 'array', items: text, 'x-kubernetes-list-type': 'atomic' },
    env: {
      type: 'array',
      items: { type: 'object', properties: { name: text, value: text } },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'name',
    },
    ports: {
      type: 'array',
      items: portSchema,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['containerPort', 'protocol'],
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'containerPort',
    },
  },
}

/** A workload in one type: an atomic selector, lists by key, a set, a union-like strategy. */
export const workloadSchema: Schema = {
  type: 'object',
  properties: {
    apiVersion: text,
    kind: text,
    spec: {
      type: 'object',
      properties: {
        replicas: number,
        paused: { type: 'boolean' },
        selector: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: text },
        strategy: {
          type: 'object',
          properties: { type: text, rollingUpdate: { type: 'object', properties: { maxSurge: number } } },
          'x-kubernetes-patch-strategy': 'retainKeys',
        },
        containers: {
          type: 'array',
          items: containerSchema,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          'x-kubernetes-patch-strategy': 'merge',
          'x-kubernetes-patch-merge-key': 'name',
        },
        finalizers: {
          type: 'array',
          items: text,
          'x-kubernetes-list-type': 'set',
          'x-kubernetes-patch-strategy': 'merge',
        },
        data: { type: 'object', additionalProperties: text },
        owner: { type: 'object', properties: { name: text, uid: text }, 'x-kubernetes-patch-strategy': 'replace' },
      },
    },
    status: { type: 'object', properties: { replicas: number } },
  },
}
