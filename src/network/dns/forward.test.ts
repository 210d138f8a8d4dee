import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { decode, encode } from 'dns-packet'
import { expect, test } from 'vitest'
import { createFakeClock } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import { createForwarder, upstreamsOf } from './forward.ts'
import { FrameReader, frame } from './tcp-frames.ts'

/** A resolver on loopback that answers every question with one address; over UDP it may cut its answers short. */
async function resolver(address: string, cut = false) {
  const asked: number[] = []
  const respond = (query: Buffer, isCut: boolean) => {
    const { id = 0, questions = [] } = decode(query)
    asked.push(id)
    const name = questions[0]?.name ?? ''
    const answers = isCut ? [] : [{ type: 'A' as const, name, ttl: 60, data: address }]
    return encode({ type: 'response', id, flags: isCut ? 0x0200 : 0, questions, answers })
  }
  const tcp = createServer((socket) => {
    const reader = new FrameReader()
    socket.on('data', (piece: Buffer) => {
      for (const query of reader.push(piece)) socket.write(frame(respond(query, false)))
    })
  })
  tcp.listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const bound = tcp.address()
  const port = typeof bound === 'object' && bound ? bound.port : 0
  const udp = createSocket('udp4')
  udp.on('message', (query, from) => udp.send(respond(query, cut), from.port, from.address))
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')
  return {
    asked,
    upstream: { address: '127.0.0.1', port },
    [Symbol.dispose]() {
      udp.close()
      tcp.close()
    },
  }
}

const QUERY = encode({ type: 'query', id: 4711, flags: 0x0100, questions: [{ type: 'A', name: 'example.com' }] })
const dataOf = (response: Buffer) => decode(response).answers?.map((answer) => 'data' in answer && answer.data)
const forwarder = (...upstreams: readonly { address: string; port: number }[]) => {
  const clock = createFakeClock()
  return { clock, ...createForwarder({ upstreams, clock, random: seededRandom(1) }) }
}

test('asks under an id of its own and answers under the client’s', async () => {
  using first = await resolver('192.0.2.1')
  const response = await forwarder(first.upstream).exchange(QUERY, 'udp')
  expect([response.readUInt16BE(0), dataOf(response)]).toEqual([4711, ['192.0.2.1']])
  expect(first.asked).not.toContain(4711)
})

test('remembers an answer for a moment', async () => {
  using first = await resolver('192.0.2.1')
  const { exchange, clock } = forwarder(first.upstream)
  await exchange(QUERY, 'udp')
  await exchange(QUERY, 'udp')
  expect(first.asked).toHaveLength(1)
  await clock.advance(6_000)
  await exchange(QUERY, 'udp')
  expect(first.asked).toHaveLength(2)
})

test('asks the next resolver when one does not answer', async () => {
  using second = await resolver('192.0.2.2')
  const closed = createSocket('udp4')
  closed.bind(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address()
  closed.close()
  const response = await forwarder({ address: '127.0.0.1', port }, second.upstream).exchange(QUERY, 'udp')
  expect(dataOf(response)).toEqual(['192.0.2.2'])
})

test('asks again over TCP what was cut short, when its client can take it', async () => {
  using first = await resolver('192.0.2.1', true)
  const { exchange } = forwarder(first.upstream)
  expect((await exchange(QUERY, 'udp')).readUInt16BE(2) & 0x0200).toBe(0x0200)
  expect(dataOf(await exchange(QUERY, 'tcp'))).toEqual(['192.0.2.1'])
})

test('fails at once when there is nobody to ask', async () => {
  await expect(forwarder().exchange(QUERY, 'udp')).rejects.toThrow('no resolver')
  expect(await forwarder().ask({ name: 'example.com', type: 'A' })).toBeUndefined()
})

test('takes the nameservers of a resolv.conf, at most three, and never itself', () => {
  const servers = ['10.96.0.10', '192.0.2.1', '192.0.2.2', 'fd00::1', '192.0.2.4'].map((one) => `nameserver ${one}`)
  const text = ['# nameserver 9.9.9.9', 'search x', ...servers].join('\n')
  expect(upstreamsOf(text, ['10.96.0.10']).map(({ address }) => address)).toEqual(['192.0.2.1', '192.0.2.2', 'fd00::1'])
})

test('messages over TCP arrive whole, however they are cut', () => {
  const bytes = Buffer.concat([frame(Buffer.from('one')), frame(Buffer.from('')), frame(Buffer.from('three'))])
  const reader = new FrameReader()
  const messages = [...bytes].flatMap((byte) => reader.push(Buffer.from([byte]))).map(String)
  expect(messages).toEqual(['one', '', 'three'])
})
