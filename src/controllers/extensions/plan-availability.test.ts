import { describe, expect, test } from 'vitest'
import type { APIService } from '../../apis/apiregistration/types.gen.ts'
import type { Service } from '../../apis/core/types.gen.ts'
import type { EndpointSlice } from '../../apis/discovery/types.gen.ts'
import { type AvailabilityView, findAvailability, PASSED, withAvailability } from './plan-availability.ts'

const spec = { group: 'g', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 }
const apiService: APIService = {
  metadata: { name: 'v1.g' },
  spec: { ...spec, service: { namespace: 'ns', name: 'web', port: 443 } },
}
const serviceOf = (more: object): Service => ({ metadata: {}, spec: { type: 'ClusterIP', ...more } })
const service = serviceOf({ ports: [{ name: 'https', port: 443 }] })
const sliceOf = (more: object): EndpointSlice => ({
  ...{ metadata: {}, addressType: 'IPv4', ports: [{ name: 'https', port: 8443 }] },
  ...{ endpoints: [{ addresses: ['10.0.0.1'] }], ...more },
})
const unready = [{ addresses: ['10.0.0.1'], conditions: { ready: false } }]
const look = (more: Partial<AvailabilityView>) => {
  const finding = findAvailability({ apiService, service, slices: [sliceOf({})], ...more })
  return finding && `${finding.status} ${finding.reason}: ${finding.message}`
}

describe('an API service', () => {
  test.each<readonly [string, Partial<AvailabilityView>, string | undefined]>([
    ['of this server', { apiService: { metadata: {}, spec } }, 'True Local: Local APIServices are always available'],
    ['without its Service', { service: undefined }, 'False ServiceNotFound: service/web in "ns" is not present'],
    [
      'at a port that the Service has not',
      { service: serviceOf({ ports: [{ port: 80 }] }) },
      'False ServicePortError: service/web in "ns" is not listening on port 443',
    ],
    ['without slices', { slices: [] }, 'False EndpointsNotFound: cannot find endpointslices for service/web in "ns"'],
    [
      'without ready endpoints',
      { slices: [sliceOf({ endpoints: unready }), sliceOf({ endpoints: null })] },
      'False MissingEndpoints: endpointslices for service/web in "ns" have no addresses with port name "https"',
    ],
    [
      'with endpoints of another port',
      { slices: [sliceOf({ ports: [{ name: 'http', port: 80 }] })] },
      'False MissingEndpoints: endpointslices for service/web in "ns" have no addresses with port name "https"',
    ],
    ['with a ready endpoint', {}, undefined],
    ['behind a name', { service: serviceOf({ type: 'ExternalName' }), slices: [] }, undefined],
  ])('%s', (_, view, expected) => expect(look(view)).toBe(expected))

  test('keeps the time of its condition while the status stays', () => {
    const first = withAvailability(apiService, PASSED, 0)
    expect(first?.status?.conditions).toEqual([
      { type: 'Available', ...PASSED, lastTransitionTime: '1970-01-01T00:00:00Z' },
    ])
    if (!first) throw new Error('it changed')
    expect(withAvailability(first, PASSED, 60_000)).toBeUndefined()
    const other = withAvailability(first, { ...PASSED, message: 'still' }, 60_000)
    expect(other?.status?.conditions?.[0]).toMatchObject({
      message: 'still',
      lastTransitionTime: '1970-01-01T00:00:00Z',
    })
    const failed = withAvailability(first, { status: 'False', reason: 'R', message: 'm' }, 60_000)
    expect(failed?.status?.conditions?.[0]?.lastTransitionTime).toBe('1970-01-01T00:01:00Z')
  })
})
