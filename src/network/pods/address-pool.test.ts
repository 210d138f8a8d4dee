import { expect, test } from 'vitest'
import { parseCidr } from '../../base/ip.ts'
import { AddressPool } from './address-pool.ts'

function pool(text: string): AddressPool {
  const cidr = parseCidr(text)
  if (!cidr) throw new Error(text)
  return new AddressPool(cidr)
}

test('the first address is the gateway, the last one nobody’s', () => {
  const addresses = pool('10.244.1.0/29')
  expect(addresses.gateway).toBe('10.244.1.1')
  const given = Array.from({ length: 5 }, () => addresses.allocate())
  expect(given).toEqual(['10.244.1.2', '10.244.1.3', '10.244.1.4', '10.244.1.5', '10.244.1.6'])
  expect(() => addresses.allocate()).toThrow('no free address for a pod in 10.244.1.0/29')
})

test('a freed address comes back after all others', () => {
  const addresses = pool('10.244.1.0/29')
  const first = addresses.allocate()
  addresses.release(first)
  expect(Array.from({ length: 5 }, () => addresses.allocate()).at(-1)).toBe(first)
})

test('reserved addresses are not given out, and the search goes on behind them', () => {
  const addresses = pool('10.244.1.0/29')
  addresses.reserve('10.244.1.4')
  addresses.reserve('192.0.2.1')
  expect(Array.from({ length: 4 }, () => addresses.allocate())).toEqual([
    '10.244.1.5',
    '10.244.1.6',
    '10.244.1.2',
    '10.244.1.3',
  ])
})
