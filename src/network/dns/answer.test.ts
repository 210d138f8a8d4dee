import { type Answer, decode, encode, type Packet, type RecordType } from 'dns-packet'
import { describe, expect, test } from 'vitest'
import { namespaces } from '../../apis/core/namespace.ts'
import { services } from '../../apis/core/service/definition.ts'
import { endpointSlices } from '../../apis/discovery/endpoint-slice.ts'
import { seededRandom } from '../../base/random.ts'
import { endpoint, service, slice, testInformers } from '../test-objects.ts'
import { createAnswerer } from './answer.ts'
import { clusterNames } from './cluster-names.ts'
import type { Forwarder, Transport } from './forward.ts'

const NOBODY: Forwarder = {
  exchange: () => Promise.reject(new Error('no resolver')),
  ask: async ({ name }) => ({ answers: [{ type: 'A', name, ttl: 1, data: '192.0.2.1' }] }),
}

const informers = testInformers()
informers.set(namespaces, [{ metadata: { name: 'default' }, spec: {} }])
informers.set(services, [
  service('web', { clusterIP: '10.96.0.20' }),
  service('many', { clusterIP: 'None' }),
  service('inside', { type: 'ExternalName', externalName: 'web.default.svc.cluster.local' }),
  service('outside', { type: 'ExternalName', externalName: 'example.com' }),
  service('circle', { type: 'ExternalName', externalName: 'circle.default.svc.cluster.local' }),
])
informers.set(endpointSlices, [
  slice(
    'many',
    Array.from({ length: 40 }, (_, index) => endpoint(`10.244.0.${index + 1}`)),
  ),
])
const zone = { domain: 'cluster.local', serverAddress: '10.96.0.10', names: clusterNames(informers) }
const answer = createAnswerer({ zone, forwarder: NOBODY })

async function ask(name: string, extra: Packet = {}, transport: Transport = 'udp', type: RecordType = 'A') {
  const query = encode({ type: 'query', id: 7, flags: 0x0100, questions: [{ type, name, class: 'IN' }], ...extra })
  const response = await answer(query, transport)
  return { ...decode(response ?? Buffer.alloc(0)), bytes: response?.length ?? 0 }
}

const rcode = ({ flags = 0 }: Packet) => flags & 15
const texts = ({ answers = [] }: Packet) => answers.map((one) => ('data' in one ? String(one.data) : ''))

describe('an answer', () => {
  test('repeats id and question as asked, and says that it is authoritative', async () => {
    const response = await ask('Web.default.SVC.cluster.local')
    expect(response).toMatchObject({
      id: 7,
      flag_aa: true,
      flag_ra: true,
      flag_rd: true,
      questions: [{ name: 'Web.default.SVC.cluster.local' }],
    })
    expect(texts(response)).toEqual(['10.96.0.20'])
  })
  test('that is none carries the zone’s SOA, so that it may be remembered', async () => {
    const missing = await ask('nobody.default.svc.cluster.local')
    expect([rcode(missing), missing.authorities?.[0]?.type]).toEqual([3, 'SOA'])
    const empty = await ask('web.default.svc.cluster.local', {}, 'udp', 'AAAA')
    expect([rcode(empty), texts(empty), empty.authorities?.[0]?.type]).toEqual([0, [], 'SOA'])
  })
  test('follows other names, inside and outside, and not in circles', async () => {
    expect(texts(await ask('inside.default.svc.cluster.local'))).toEqual([
      'web.default.svc.cluster.local',
      '10.96.0.20',
    ])
    expect(texts(await ask('outside.default.svc.cluster.local'))).toEqual(['example.com', '192.0.2.1'])
    expect(rcode(await ask('circle.default.svc.cluster.local'))).toBe(2)
  })
  test('that does not fit is cut, unless the client has room or asks over TCP', async () => {
    const many = 'many.default.svc.cluster.local'
    const cut = await ask(many)
    expect(cut).toMatchObject({ flag_tc: true, answers: [] })
    const optional: Answer = {
      type: 'OPT',
      name: '.',
      udpPayloadSize: 4096,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    }
    const roomy = await ask(many, { additionals: [optional] })
    expect(roomy.bytes).toBeLessThanOrEqual(1232)
    expect(roomy.additionals?.[0]?.type).toBe('OPT')
    const whole = await ask(many, {}, 'tcp')
    expect(whole).toMatchObject({ flag_tc: false })
    expect(texts(whole)).toHaveLength(40)
  })
  test('is a failure at once when nobody can be asked', async () => {
    expect(rcode(await ask('example.com'))).toBe(2)
  })
})

describe('hostile packets', () => {
  const header = (flags: number, questions = 1) => {
    const packet = Buffer.alloc(12)
    packet.writeUInt16BE(9, 0)
    packet.writeUInt16BE(flags, 2)
    packet.writeUInt16BE(questions, 4)
    return packet
  }
  for (const [behaviour, packet, expected] of [
    ['that are too short get nothing', Buffer.from([1, 2, 3]), undefined],
    ['that are answers get nothing', header(0x8000), undefined],
    ['of another operation are not implemented', header(0x2800), 4],
    ['without a question are malformed', header(0, 0), 1],
    ['that promise more than they hold are malformed', header(0, 3), 1],
    ['whose name points at itself are malformed', Buffer.concat([header(0), Buffer.from([0xc0, 12, 0, 1, 0, 1])]), 1],
  ] as const)
    test(behaviour, async () => {
      const response = await answer(packet, 'udp')
      expect(response && response.readUInt16BE(2) & 15).toBe(expected)
    })

  test('of random bytes never do harm', async () => {
    const random = seededRandom(1)
    for (let round = 0; round < 2_000; round++) {
      const packet = Buffer.from(random.bytes(12 + Math.floor(random.next() * 60)))
      packet.writeUInt16BE(packet.readUInt16BE(2) & 0x07ff, 2)
      packet.writeUInt16BE(1, 4)
      const response = await answer(packet, 'udp')
      expect(response?.readUInt16BE(0)).toBe(packet.readUInt16BE(0))
    }
  })
})
