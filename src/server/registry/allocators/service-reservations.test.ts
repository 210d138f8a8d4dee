/** What a service asks for and cannot have: the caller's mistake, and told as one. */

import { describe, expect, test } from 'vitest'
import type { Service, ServiceSpec } from '../../../apis/core/types.gen.ts'
import { assert } from '../../../base/assert.ts'
import { parseCidr } from '../../../base/ip.ts'
import { seededRandom } from '../../../base/random.ts'
import { serviceReservations } from './service-reservations.ts'

const RANGE = 'provided port is not in the valid range. The range of valid ports is 30000-32767'
const local: ServiceSpec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports: [{ port: 80 }] }

function serviceOf(spec: ServiceSpec): Service {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default' }, spec }
}

function reserve(spec: ServiceSpec, previous?: ServiceSpec) {
  const serviceCidr = parseCidr('10.96.0.0/24')
  assert(serviceCidr, 'it is a range')
  const reservations = serviceReservations({
    serviceCidr,
    nodePorts: { first: 30_000, last: 32_767 },
    random: seededRandom(1),
    stored: async () => [],
  })
  return reservations.reserve(serviceOf(spec), previous && serviceOf(previous), false)
}

describe('Services', () => {
  test.each([
    ['a port for health checks outside of the range', { ...local, healthCheckNodePort: 1 }, RANGE],
    ['a node port outside of the range', { type: 'NodePort', ports: [{ port: 80, nodePort: 1 }] }, RANGE],
    ['one family twice', { ipFamilies: ['IPv4', 'IPv4'] }, 'spec.ipFamilies[1]: Duplicate value: "IPv4"'],
    ['an address that is none', { clusterIP: 'x', clusterIPs: ['x'] }, 'must be a valid IP address'],
  ] as const)('may not ask for %s', async (_, spec, message) => {
    await expect(reserve(spec)).rejects.toMatchObject({
      status: { code: 422, message: expect.stringContaining(message) },
    })
  })

  test('are left to validation with a number that is no port', async () => {
    const { object } = await reserve({ ...local, healthCheckNodePort: -1 })
    expect(object.spec.healthCheckNodePort).toBe(-1)
  })

  test('keep their policy when an update says nothing of it', async () => {
    const before: ServiceSpec = { clusterIP: 'None', clusterIPs: ['None'], ipFamilyPolicy: 'SingleStack' }
    const { object } = await reserve({ clusterIP: 'None', clusterIPs: ['None'] }, before)
    expect(object.spec).toMatchObject({ ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] })
  })
})
