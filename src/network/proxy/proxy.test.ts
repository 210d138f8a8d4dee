import { expect, test } from 'vitest'
import { services } from '../../apis/core/service/definition.ts'
import { endpointSlices } from '../../apis/discovery/endpoint-slice.ts'
import { createFakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import { endpoint, service, slice, testInformers } from '../test-objects.ts'
import type { Flow } from './flows.ts'
import { startProxy } from './proxy.ts'

/** A proxy whose commands are recorded instead of carried out; `failures` of them fail. */
function scene(failures = 0) {
  const clock = createFakeClock()
  const informers = testInformers()
  const transactions: string[] = []
  const forgotten: Flow[] = []
  const state = { failures }
  const start = () =>
    startProxy({
      informers,
      commands: {
        nft: async (_, text) => {
          if (state.failures-- > 0) throw new Error('no namespace')
          transactions.push(text)
        },
      },
      flows: { forget: async (_, flows) => void forgotten.push(...flows) },
      nodeName: 'here',
      pid: 1,
      ranges: { clusterPodCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16' },
      clock,
      log: silentLogger,
    })
  return { clock, informers, transactions, forgotten, start }
}

test('starts with a table of its own, then writes only what changes', async () => {
  const { clock, informers, transactions, start } = scene()
  informers.set(services, [service('web', { clusterIP: '10.96.0.1' })])
  await using proxy = start()
  await clock.advance(100)
  await proxy.ready
  expect(transactions).toHaveLength(1)
  expect(transactions[0]).toContain('delete table')
  informers.set(endpointSlices, [slice('web', [endpoint('10.244.0.5')])])
  await clock.advance(100)
  expect(transactions[1]).toContain('dnat to 10.244.0.5:8080')
  expect(transactions[1]).not.toContain('delete table')
})

test('writes nothing for changes that mean nothing to it', async () => {
  const { clock, informers, transactions, start } = scene()
  const web = service('web', { clusterIP: '10.96.0.1' })
  informers.set(services, [web])
  await using _ = start()
  await clock.advance(100)
  informers.set(services, [{ ...web, metadata: { ...web.metadata, labels: { team: 'x' } } }])
  await clock.advance(100)
  expect(transactions).toHaveLength(1)
})

test('writes everything anew after a failure: what the kernel holds is not known', async () => {
  const { clock, informers, transactions, start } = scene(2)
  informers.set(services, [service('web', { clusterIP: '10.96.0.1' })])
  await using _ = start()
  await clock.advance(5_000)
  expect(transactions).toHaveLength(1)
  expect(transactions[0]).toContain('delete table')
  expect(transactions[0]).toContain('10.96.0.1 . tcp . 80')
})

test('forgets the UDP flows of a backend that goes', async () => {
  const { clock, informers, forgotten, start } = scene()
  const ports = [{ name: '', port: 53, protocol: 'UDP' }] as const
  const both = [endpoint('10.244.0.5'), endpoint('10.244.0.6')]
  informers.set(services, [service('dns', { clusterIP: '10.96.0.10', ports: [{ port: 53, protocol: 'UDP' }] })])
  informers.set(endpointSlices, [slice('dns', both, { ports })])
  await using _ = start()
  await clock.advance(100)
  forgotten.length = 0
  informers.set(endpointSlices, [slice('dns', both.slice(1), { ports })])
  await clock.advance(100)
  expect(forgotten).toEqual([{ destination: '10.96.0.10', port: 53, backend: { address: '10.244.0.5', port: 53 } }])
})
