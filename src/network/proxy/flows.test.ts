import { describe, expect, test } from 'vitest'
import { service } from '../test-objects.ts'
import { staleFlows, udpFrontends } from './flows.ts'
import { type Backend, routesOf, type ServiceRoute } from './service-table.ts'

const A: Backend = { address: '10.0.0.1', port: 53 }
const B: Backend = { address: '10.0.0.2', port: 53 }
const MOVED: Backend = { address: '10.0.0.1', port: 54 }

function frontends(backends: readonly Backend[], protocol: 'UDP' | 'TCP' = 'UDP') {
  const dns = service('dns', { clusterIP: '10.96.0.10', ports: [{ port: 53, protocol }] })
  return udpFrontends(
    routesOf(dns, [], 'here').map((route): ServiceRoute => ({ ...route, backends })),
    [],
  )
}

const flow = (backend: Backend | undefined) => ({ destination: '10.96.0.10', port: 53, backend })

describe('flows to forget', () => {
  for (const [behaviour, before, after, expected] of [
    ['none when nothing changes', [A, B], [A, B], []],
    ['those to a backend that went', [A, B], [B], [flow(A)]],
    ['those to a backend that moved to another port', [A], [MOVED], [flow(A)]],
    ['those that found nobody before', [], [A], [flow(undefined)]],
    ['none for one backend more', [A], [A, B], []],
  ] as const)
    test(behaviour, () => expect(staleFlows(frontends(before), frontends(after))).toEqual(expected))

  test('those of a service that is gone', () => {
    expect(staleFlows(frontends([A]), new Map())).toEqual([flow(A)])
  })
  test('never those of TCP, which end by themselves', () => {
    expect(staleFlows(frontends([A], 'TCP'), frontends([B], 'TCP'))).toEqual([])
  })
})
