/** Limit ranges in the request path. */

import { expect, test } from 'vitest'
import { PODS, podBody, startServer } from './admission-server.ts'

const RANGES = '/api/v1/namespaces/default/limitranges'

test('a pod that says nothing gets the requests and limits of the limit range', async () => {
  await using server = await startServer()
  const limits = [{ type: 'Container', defaultRequest: { cpu: '100m' }, default: { cpu: '500m', memory: '1Gi' } }]
  await server.send('POST', RANGES, { body: { metadata: { name: 'limits' }, spec: { limits } } })
  const { json } = await server.send('POST', PODS, { body: podBody('silent') })
  expect(json.spec.containers[0].resources).toEqual({
    requests: { cpu: '100m', memory: '1Gi' },
    limits: { cpu: '500m', memory: '1Gi' },
  })
  expect(json.metadata.annotations['kubernetes.io/limit-ranger']).toBe(
    'LimitRanger plugin set: cpu, memory request for container app; cpu, memory limit for container app',
  )
})

test('a pod and a claim out of bounds are refused with 403', async () => {
  await using server = await startServer()
  const limits = [
    { type: 'Container', max: { cpu: '1' } },
    { type: 'PersistentVolumeClaim', max: { storage: '1Gi' } },
  ]
  await server.send('POST', RANGES, { body: { metadata: { name: 'limits' }, spec: { limits } } })
  const greedy = podBody('greedy', {}, { resources: { limits: { cpu: '2' } } })
  const refused = await server.send('POST', PODS, { body: greedy })
  expect([refused.status, refused.json.message]).toEqual([
    403,
    'pods "greedy" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
  ])
  const claim = {
    metadata: { name: 'greedy' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } },
  }
  const refusedClaim = await server.send('POST', '/api/v1/namespaces/default/persistentvolumeclaims', { body: claim })
  expect([refusedClaim.status, refusedClaim.json.message]).toEqual([
    403,
    'persistentvolumeclaims "greedy" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi',
  ])
})
