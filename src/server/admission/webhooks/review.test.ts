import { describe, expect, test } from 'vitest'
import { deployments } from '../../../apis/apps/deployment.ts'
import { namespaces } from '../../../apis/core/namespace.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import { admissionReview, readReview, rejection, reviewVersion, seenThrough } from './review.ts'

const object: KubeObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } }
const attributes: AdmissionAttributes = {
  operation: 'CREATE',
  definition: deployments as never,
  subresource: '',
  namespace: 'default',
  name: 'web',
  object,
  previous: undefined,
  user: { name: 'jane', uid: '7', groups: ['a'], extra: { scopes: ['x'] } },
  dryRun: true,
  options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', dryRun: ['All'] },
  warn: () => {},
}
const definition = attributes.definition

describe('a review', () => {
  test('tells who wants to do what', () => {
    expect(admissionReview('v1', 'uid-1', { attributes, definition, object, previous: undefined })).toEqual({
      kind: 'AdmissionReview',
      apiVersion: 'admission.k8s.io/v1',
      request: {
        uid: 'uid-1',
        kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
        resource: { group: 'apps', version: 'v1', resource: 'deployments' },
        requestKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
        requestResource: { group: 'apps', version: 'v1', resource: 'deployments' },
        name: 'web',
        namespace: 'default',
        operation: 'CREATE',
        userInfo: { username: 'jane', uid: '7', groups: ['a'], extra: { scopes: ['x'] } },
        object,
        oldObject: null,
        dryRun: true,
        options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', dryRun: ['All'] },
      },
    })
  })

  test('names the kind of a part, and shows the options of a connection without metadata', () => {
    const options = { kind: 'PodAttachOptions', apiVersion: 'v1', metadata: {}, stdin: true }
    const connect = {
      ...attributes,
      operation: 'CONNECT' as const,
      subresource: 'attach',
      object: options,
      options: {},
    }
    const review = admissionReview('v1', 'u', { attributes: connect, definition, object: options, previous: undefined })
    expect(review).toMatchObject({
      request: {
        kind: { group: '', version: 'v1', kind: 'PodAttachOptions' },
        requestKind: { group: '', version: 'v1', kind: 'PodAttachOptions' },
        subResource: 'attach',
        requestSubResource: 'attach',
        object: { kind: 'PodAttachOptions', apiVersion: 'v1', stdin: true },
        options: null,
      },
    })
    expect(review).not.toHaveProperty('request.object.metadata')
  })

  test('says of a namespace that it is in itself', () => {
    const own = { ...attributes, definition: namespaces as never, namespace: '', name: 'blue' }
    const review = admissionReview('v1', 'u', {
      attributes: own,
      definition: own.definition,
      object,
      previous: undefined,
    })
    expect(review).toMatchObject({ request: { namespace: 'blue', name: 'blue' } })
  })

  test('takes a patch for the update that it is', () => {
    const patch = { ...attributes, operation: 'UPDATE' as const, options: { kind: 'PatchOptions', force: true } }
    const review = admissionReview('v1', 'u', { attributes: patch, definition, object, previous: object })
    expect(review).toMatchObject({ request: { options: { kind: 'UpdateOptions' } } })
    expect(review).not.toHaveProperty('request.options.force')
  })

  test('shows a Scale to who looks through scale', () => {
    const scaled = { ...object, spec: { replicas: 3, selector: { matchLabels: { a: 'b' } } } }
    expect(seenThrough({ subresource: 'scale' }, definition, scaled)).toMatchObject({
      kind: 'Scale',
      spec: { replicas: 3 },
    })
    expect(seenThrough({ subresource: 'status' }, definition, scaled)).toBe(scaled)
  })

  test('is of the first version that both sides speak', () => {
    expect(reviewVersion(['v2', 'v1beta1', 'v1'])).toBe('v1beta1')
    expect(reviewVersion(['v2'])).toBeUndefined()
  })
})

describe('an answer', () => {
  const review = (response: object | undefined, rest: object = {}) => ({
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    response,
    ...rest,
  })
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const patch = base64('[{"op":"remove","path":"/spec"}]')

  test('allows, warns and patches', () => {
    const auditAnnotations = { reason: 'small', count: 7 }
    const response = {
      uid: 'u',
      allowed: true,
      warnings: ['careful', 7],
      auditAnnotations,
      patch,
      patchType: 'JSONPatch',
    }
    expect(readReview('v1', 'u', true, review(response))).toEqual({
      allowed: true,
      patch: [{ op: 'remove', path: '/spec' }],
      result: undefined,
      warnings: ['careful'],
      annotations: [['reason', 'small']],
    })
  })

  test.each<readonly [string, boolean, unknown, string]>([
    ['is absent', true, review(undefined), 'webhook response was absent'],
    ['is no object', true, 'yes', 'webhook response was absent'],
    ['is for another question', true, review({ uid: 'v' }), 'expected response.uid="u", got "v"'],
    [
      'is of another kind',
      true,
      review({ uid: 'u' }, { kind: 'Pod', apiVersion: 'v1' }),
      'expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got v1, Kind=Pod',
    ],
    [
      'patches in no language',
      true,
      review({ uid: 'u', patch }),
      'webhook returned response.patch but not response.patchType',
    ],
    [
      'patches with nothing',
      true,
      review({ uid: 'u', patchType: 'JSONPatch' }),
      'webhook returned response.patchType but not response.patch',
    ],
    [
      'patches in an unknown language',
      true,
      review({ uid: 'u', patch, patchType: 'XML' }),
      'unsupported patch type "XML"',
    ],
    [
      'patches what it may only judge',
      false,
      review({ uid: 'u', patch }),
      'validating webhook may not return response.patch',
    ],
    [
      'speaks of patches where it may only judge',
      false,
      review({ uid: 'u', patchType: 'JSONPatch' }),
      'validating webhook may not return response.patchType',
    ],
    ['patches with no JSON', true, review({ uid: 'u', patch: base64('{'), patchType: 'JSONPatch' }), 'invalid JSON'],
  ])('that %s is none', (_, mutating, answer, expected) => {
    expect(() => readReview('v1', 'u', mutating, answer)).toThrow(expected)
  })

  test('of the older version is not looked at as closely', () => {
    expect(readReview('v1beta1', 'u', true, { response: { patch } }).patch).toHaveLength(1)
  })

  test.each<readonly [string, object, object]>([
    [
      'says why',
      { message: 'no', code: 403, reason: 'Forbidden' },
      { code: 403, reason: 'Forbidden', message: ': no' },
    ],
    ['says a reason', { reason: 'Because' }, { code: 400, message: ': Because' }],
    ['says nothing', {}, { code: 400, message: ' without explanation' }],
    ['cannot refuse with success', { code: 200, message: 'x' }, { code: 400, message: ': x' }],
    [
      'cannot refuse with nonsense',
      { code: 'x', details: 7, message: 1 },
      { code: 400, message: ' without explanation' },
    ],
  ])('that refuses %s', (_, result, expected) => {
    const { message = '', ...rest } = expected as { readonly message?: string }
    expect(rejection('a.b.c', result).status).toMatchObject({
      ...rest,
      status: 'Failure',
      message: `admission webhook "a.b.c" denied the request${message}`,
    })
  })
})
