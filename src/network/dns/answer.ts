/**
 * One query in, one answer out, both as bytes. The cluster's own names are answered at once, everything else is passed
 * on as it came. Hostile bytes get FORMERR or nothing, never an exception.
 */

import { type Answer, decode, encode, type Packet, type Question } from 'dns-packet'
import type { Forwarder, Transport } from './forward.ts'
import { authority, type Resolution, resolve, type Zone } from './records.ts'

export interface AnswererParts {
  readonly zone: Zone
  readonly forwarder: Forwarder
}

/** Undefined: no answer is due. */
export type Answerer = (query: Buffer, transport: Transport) => Promise<Buffer | undefined>

const HEADER_BYTES = 12
const RESPONSE_FLAG = 0x8000
const OPCODE_MASK = 0x7800
const RECURSION_DESIRED = 0x0100
const RECURSION_AVAILABLE = 0x0080
const AUTHORITATIVE = 0x0400
const TRUNCATED = 0x0200

const NO_ERROR = 0
const FORMAT_ERROR = 1
const SERVER_FAILURE = 2
const NAME_ERROR = 3
const NOT_IMPLEMENTED = 4

/** What every resolver takes over UDP. */
const UDP_BYTES_MIN = 512
/** What passes every usual link without fragments, and the most that is sent over UDP whatever the client offers. */
const UDP_BYTES_MAX = 1232
/** Names that lead to names: ExternalName services may form a chain, or a circle. */
const ALIASES_MAX = 8

export function createAnswerer(parts: AnswererParts): Answerer {
  return async (query, transport) => {
    if (query.length < HEADER_BYTES || (query.readUInt16BE(2) & RESPONSE_FLAG) !== 0) return undefined
    if ((query.readUInt16BE(2) & OPCODE_MASK) !== 0) return failure(query, NOT_IMPLEMENTED)
    const packet = decoded(query)
    const question = packet?.questions?.[0]
    if (!packet || !question || packet.questions?.length !== 1) return failure(query, FORMAT_ERROR)
    try {
      const outcome = await answer(parts, question, query, transport)
      return Buffer.isBuffer(outcome) ? outcome : encoded(packet, question, outcome, transport)
    } catch {
      return failure(query, SERVER_FAILURE)
    }
  }
}

interface Outcome {
  readonly code: number
  readonly authoritative: boolean
  readonly answers: readonly Answer[]
  readonly authorities?: readonly Answer[]
  readonly additionals?: readonly Answer[]
}

/** Bytes are another server's own answer. */
async function answer(
  { zone, forwarder }: AnswererParts,
  question: Question,
  query: Buffer,
  transport: Transport,
): Promise<Outcome | Buffer> {
  if ((question.class ?? 'IN') !== 'IN') return { code: NOT_IMPLEMENTED, authoritative: false, answers: [] }
  const aliases: Answer[] = []
  let name = question.name
  while (aliases.length < ALIASES_MAX) {
    const resolution = resolve(zone, { name, type: question.type })
    if (resolution.kind === 'alias') {
      aliases.push(resolution.answer)
      name = resolution.target
    } else if (resolution.kind !== 'outside') return ownOutcome(zone, resolution, aliases)
    else if (aliases.length === 0) return forwarder.exchange(query, transport)
    else return withAliases(aliases, await forwarder.ask({ name, type: question.type }))
  }
  return { code: SERVER_FAILURE, authoritative: true, answers: aliases }
}

function ownOutcome(
  zone: Zone,
  resolution: Exclude<Resolution, { kind: 'alias' | 'outside' }>,
  aliases: readonly Answer[],
): Outcome {
  if (resolution.kind === 'found') {
    const { answers, additionals } = resolution
    return { code: NO_ERROR, authoritative: true, answers: [...aliases, ...answers], additionals }
  }
  const code = resolution.kind === 'no-name' ? NAME_ERROR : NO_ERROR
  return { code, authoritative: true, answers: aliases, authorities: [authority(zone, 1)] }
}

function withAliases(aliases: readonly Answer[], target: Packet | undefined): Outcome {
  // Without a word from outside, the alias itself is still right.
  return { code: NO_ERROR, authoritative: true, answers: [...aliases, ...(target?.answers ?? [])] }
}

function decoded(query: Buffer): Packet | undefined {
  try {
    return decode(query)
  } catch {
    return undefined
  }
}

function encoded(query: Packet, question: Question, outcome: Outcome, transport: Transport): Buffer {
  const { id = 0, flags = 0 } = query
  const extension = query.additionals?.find((record) => record.type === 'OPT')
  const offered = extension?.type === 'OPT' ? extension.udpPayloadSize : UDP_BYTES_MIN
  const limit = Math.min(Math.max(offered, UDP_BYTES_MIN), UDP_BYTES_MAX)
  const ownExtension: Answer[] = extension ? [extensionRecord()] : []
  const common =
    RESPONSE_FLAG | RECURSION_AVAILABLE | (flags & RECURSION_DESIRED) | (outcome.authoritative ? AUTHORITATIVE : 0)
  const response: Packet = {
    type: 'response',
    id,
    flags: common | outcome.code,
    questions: [question],
    answers: rotated(outcome.answers, id),
    authorities: [...(outcome.authorities ?? [])],
    additionals: [...(outcome.additionals ?? []), ...ownExtension],
  }
  const whole = encode(response)
  if (transport === 'tcp' || whole.length <= limit) return whole
  const withoutExtras = encode({ ...response, additionals: ownExtension })
  if (withoutExtras.length <= limit) return withoutExtras
  // The client asks again over TCP.
  return encode({
    ...response,
    flags: common | TRUNCATED | outcome.code,
    answers: [],
    authorities: [],
    additionals: ownExtension,
  })
}

function extensionRecord(): Answer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: UDP_BYTES_MAX,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  }
}

/** Many clients take the first address: each query starts elsewhere. Aliases stay in front of what they lead to. */
function rotated(answers: readonly Answer[], id: number): Answer[] {
  const aliases = answers.filter(({ type }) => type === 'CNAME')
  const others = answers.filter(({ type }) => type !== 'CNAME')
  const start = others.length === 0 ? 0 : id % others.length
  return [...aliases, ...others.slice(start), ...others.slice(0, start)]
}

/** A header of the query's own, and nothing else. */
function failure(query: Buffer, code: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(query.readUInt16BE(0), 0)
  const kept = query.readUInt16BE(2) & (OPCODE_MASK | RECURSION_DESIRED)
  header.writeUInt16BE(RESPONSE_FLAG | RECURSION_AVAILABLE | kept | code, 2)
  return header
}
