/**
 * Questions about the rest of the world, passed on to the machine's own resolvers one after the other until one answers.
 * Every question leaves from a port and with an id of its own. Answers are remembered for a moment.
 */

import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { decode, encode, type Packet, type Question } from 'dns-packet'
import type { Clock } from '../../base/clock.ts'
import { deadline } from '../../base/deadline.ts'
import { LruMap } from '../../base/lru.ts'
import { type Random, randomInteger } from '../../base/random.ts'
import { FrameReader, frame } from './tcp-frames.ts'

/** How the client asks: over UDP an answer may be cut short. */
export type Transport = 'udp' | 'tcp'

export interface Forwarder {
  /** The answer to a query, under the query's own id. Throws when nobody answers. */
  exchange(query: Buffer, transport: Transport): Promise<Buffer>
  /** Undefined when nobody answers. */
  ask(question: Pick<Question, 'name' | 'type'>): Promise<Packet | undefined>
}

export interface Upstream {
  readonly address: string
  readonly port: number
}

export interface ForwarderParts {
  readonly upstreams: readonly Upstream[]
  readonly clock: Clock
  readonly random: Random
}

/** How long one resolver has, in ms; clients themselves give up after 5 s. */
const ANSWER_MS = 2_000
/** Questions on their way; one more is refused at once. */
const PENDING_MAX = 512
/** Answers that are remembered: about 1 MB. */
const REMEMBERED_MAX = 2_048
/** Answers are passed on as they came, with the lifetimes they came with: so not for long. In ms. */
const REMEMBERED_MS_MAX = 5_000
const ID_VALUES = 0x1_0000
const TRUNCATED = 0x0200

interface Remembered {
  readonly response: Buffer
  readonly untilMs: number
}

export function createForwarder({ upstreams, clock, random }: ForwarderParts): Forwarder {
  const remembered = new LruMap<string, Remembered>(REMEMBERED_MAX)
  let pending = 0

  const askAll = async (query: Buffer, transport: Transport): Promise<Buffer> => {
    if (pending >= PENDING_MAX) throw new Error('too many questions are on their way')
    pending++
    try {
      return await firstAnswer(query, transport)
    } finally {
      pending--
    }
  }
  const firstAnswer = async (query: Buffer, transport: Transport): Promise<Buffer> => {
    let failure: unknown = new Error('this machine has no resolver')
    for (const upstream of upstreams) {
      using limit = deadline(clock, ANSWER_MS)
      try {
        const response = await overUdp(upstream, query, limit.signal)
        const isCut = (response.readUInt16BE(2) & TRUNCATED) !== 0
        return isCut && transport === 'tcp' ? await overTcp(upstream, query, limit.signal) : response
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }
  const exchange = async (query: Buffer, transport: Transport): Promise<Buffer> => {
    const key = `${transport} ${query.toString('latin1', 2)}`
    const known = remembered.get(key)
    if (known && known.untilMs > clock.monotonic()) return withId(known.response, query.readUInt16BE(0))
    const response = await askAll(withId(query, randomInteger(random, ID_VALUES)), transport)
    const lifetimeMs = lifetimeOf(response)
    if (lifetimeMs > 0) remembered.set(key, { response, untilMs: clock.monotonic() + lifetimeMs })
    return withId(response, query.readUInt16BE(0))
  }
  return {
    exchange,
    async ask({ name, type }) {
      const flags = 0x0100
      const query = encode({ type: 'query', id: 0, flags, questions: [{ name, type, class: 'IN' }] })
      return await exchange(query, 'tcp').then(decode, () => undefined)
    },
  }
}

function withId(packet: Buffer, id: number): Buffer {
  const copy = Buffer.from(packet)
  copy.writeUInt16BE(id, 0)
  return copy
}

/** The shortest lifetime of its records, within bounds; 0 for what cannot be read or says nothing. */
function lifetimeOf(response: Buffer): number {
  try {
    const { answers = [], authorities = [] } = decode(response)
    const lifetimes = [...answers, ...authorities].flatMap((record) => ('ttl' in record ? [record.ttl ?? 0] : []))
    return lifetimes.length === 0 ? 0 : Math.min(...lifetimes.map((ttl) => ttl * 1000), REMEMBERED_MS_MAX)
  } catch {
    return 0
  }
}

function overUdp({ address, port }: Upstream, query: Buffer, signal: AbortSignal): Promise<Buffer> {
  const id = query.readUInt16BE(0)
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', signal })
  socket.on('error', reject)
  socket.on('close', () => reject(signal.reason))
  // A connected socket hears only the resolver it asked.
  socket.on('connect', () => socket.send(query))
  socket.on('message', (response) => {
    if (isAnswerTo(response, id)) resolve(response)
  })
  socket.connect(port, address)
  return promise.finally(() => {
    if (!signal.aborted) socket.close()
  })
}

function overTcp({ address, port }: Upstream, query: Buffer, signal: AbortSignal): Promise<Buffer> {
  const id = query.readUInt16BE(0)
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const socket = connect({ host: address, port, signal })
  const reader = new FrameReader()
  socket.on('error', reject)
  socket.on('close', () => reject(new Error('the resolver closed the connection')))
  socket.on('data', (chunk: Buffer) => {
    for (const response of reader.push(chunk)) if (isAnswerTo(response, id)) resolve(response)
  })
  socket.write(frame(query))
  return promise.finally(() => socket.destroy())
}

function isAnswerTo(response: Buffer, id: number): boolean {
  return response.length >= 12 && response.readUInt16BE(0) === id && (response.readUInt16BE(2) & 0x8000) !== 0
}

/** Resolvers that are asked at most, as libc does. */
const UPSTREAMS_MAX = 3
const DNS_PORT = 53

/** The nameservers of a resolv.conf, without those that would ask us again. */
export function upstreamsOf(resolvConf: string, own: readonly string[]): readonly Upstream[] {
  return resolvConf
    .split('\n')
    .flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? [])
    .filter((address) => !own.includes(address))
    .slice(0, UPSTREAMS_MAX)
    .map((address) => ({ address, port: DNS_PORT }))
}
