import { expect, test } from 'vitest'
import {
  clusterRoutes,
  conflictingRoutes,
  hostRoutes,
  metricsOf,
  nodeRoutes,
  overlap,
  parseRoutes,
  routeChanges,
  routesOfCluster,
} from './routes.ts'

const ranges = { clusterName: 'one', clusterPodCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16' }
const nodes = [
  { ip: '172.30.0.2', podCidr: '10.244.0.0/24' },
  { ip: '172.30.0.3', podCidr: '10.244.1.0/24' },
]
const { metric, fallbackMetric } = metricsOf('one')

test('a node reaches the pods of every other node', () => {
  expect(nodeRoutes('172.30.0.2', nodes)).toEqual([{ destination: '10.244.1.0/24', via: '172.30.0.3' }])
})

test('the host reaches pods and services, and nothing of their ranges goes anywhere else', () => {
  expect(hostRoutes(ranges, nodes)).toEqual([
    { destination: '10.244.0.0/24', via: '172.30.0.2', metric },
    { destination: '10.244.1.0/24', via: '172.30.0.3', metric },
    { destination: '10.96.0.0/16', via: '172.30.0.2', metric },
    { destination: '10.244.0.0/16', metric: fallbackMetric },
    { destination: '10.96.0.0/16', metric: fallbackMetric },
  ])
  expect(hostRoutes(ranges, []).every(({ via }) => via === undefined)).toBe(true)
})

test('changes remove first, and leave alone what is right', () => {
  const present = hostRoutes(ranges, nodes)
  expect(routeChanges(present, hostRoutes(ranges, nodes))).toEqual([])
  expect(routeChanges(present, hostRoutes(ranges, nodes.slice(1)))).toEqual([
    `route del 10.244.0.0/24 via 172.30.0.2 metric ${metric} proto 116`,
    `route del 10.96.0.0/16 via 172.30.0.2 metric ${metric} proto 116`,
    `route add 10.96.0.0/16 via 172.30.0.3 metric ${metric} proto 116`,
  ])
  expect(routeChanges([], [{ destination: '10.96.0.0/16', metric: 7 }])).toEqual([
    'route add unreachable 10.96.0.0/16 metric 7 proto 116',
  ])
})

test('what the kernel shows is read back', () => {
  const answer = [
    { dst: '10.244.0.0/24', gateway: '172.30.0.2', dev: 'br', protocol: '116', metric, flags: [] },
    { type: 'unreachable', dst: '10.96.0.0/16', protocol: '116', metric: fallbackMetric, flags: [] },
    { dst: '10.244.3.4', gateway: '172.30.0.2' },
    'nonsense',
  ]
  expect(parseRoutes(answer)).toEqual([
    { destination: '10.244.0.0/24', via: '172.30.0.2', metric },
    { destination: '10.96.0.0/16', metric: fallbackMetric },
    { destination: '10.244.3.4/32', via: '172.30.0.2' },
  ])
})

test('the routes of clusters are found in the table of the host', () => {
  const table = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0      ',
    't8s-1\t0001F40A\t02011EAC\t0003\t0\t0\t1949887114\t00FFFFFF\t0\t0\t0   ',
    '*\t0000600A\t00000000\t0201\t0\t0\t1949887115\t0000FFFF\t0\t0\t0       ',
    'docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0       ',
    '',
  ].join('\n')
  expect(clusterRoutes(table)).toEqual([
    { destination: '10.244.1.0/24', via: '172.30.1.2', metric: 1_949_887_114 },
    { destination: '10.96.0.0/16', metric: 1_949_887_115 },
  ])
  expect(clusterRoutes('')).toEqual([])
})

test('clusters tell their routes apart, and notice when they want the same range', () => {
  const other = { ...ranges, clusterName: 'two' }
  const present = hostRoutes(ranges, nodes)
  expect(routesOfCluster('one', present)).toEqual(present)
  expect(routesOfCluster('two', present)).toEqual([])
  expect(conflictingRoutes(ranges, present)).toEqual([])
  expect(conflictingRoutes(other, present)).toEqual(present)
  expect(conflictingRoutes({ ...other, clusterPodCidr: '10.1.0.0/16', serviceCidr: '10.2.0.0/16' }, present)).toEqual(
    [],
  )
})

test('ranges overlap when one contains the other', () => {
  for (const [left, right, expected] of [
    ['10.0.0.0/8', '10.244.0.0/16', true],
    ['10.244.3.0/24', '10.244.0.0/16', true],
    ['10.244.0.0/16', '10.245.0.0/16', false],
    ['10.0.0.0/8', 'fd00::/8', false],
  ] as const)
    expect(overlap(left, right)).toBe(expected)
})
