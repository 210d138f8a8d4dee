/** Bytes on a connection: requests as no client writes them. */

import { type Random, randomInteger } from '../../../src/base/random.ts'
import { chance, mutatedBytes, ODD_TEXTS, pick, times } from './draw.ts'
import { drawHeaders, drawUpgrade } from './headers.ts'
import { drawMethod, drawPath, drawQuery } from './paths.ts'

/** What is smuggled in a body or behind a refused upgrade. It must never be answered with more than 401. */
const HIDDEN = 'GET /api/v1/namespaces/victim/secrets/canary HTTP/1.1\r\nHost: x\r\n\r\n'

const VERSIONS: readonly [string, ...string[]] = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/1.2',
  'http/1.1',
  '',
]

/** How long a body is said to be, in ways on which servers and proxies disagree. */
const LENGTHS: readonly [readonly string[], ...(readonly string[])[]] = [
  [],
  [`Content-Length: ${HIDDEN.length}`],
  ['Content-Length: 0', `Content-Length: ${HIDDEN.length}`],
  [`Content-Length: ${HIDDEN.length}`, 'Transfer-Encoding: chunked'],
  ['Transfer-Encoding: chunked'],
  ['Transfer-Encoding: chunked, identity'],
  ['Transfer-Encoding : chunked'],
  ['Transfer-Encoding:\tchunked'],
  ['Transfer-Encoding: xchunked'],
  ['Content-Length: -1'],
  ['Content-Length: +5'],
  ['Content-Length: 0x10'],
  ['Content-Length: 99999999999999999999'],
  ['Content-Length: 4\r\n continued'],
]

const CHUNKED: readonly [string, ...string[]] = [
  '0\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\n',
  '5;ext=\r\nhello\r\n0\r\nX-Remote-User: system:admin\r\n\r\n',
  'ffffffffffffffff\r\n',
  '-1\r\n\r\n',
  '0x5\r\nhello\r\n0\r\n\r\n',
  '5\nhello\n0\n\n',
]

/** One to three requests, the last perhaps cut off. */
export function drawRawRequests(random: Random, token: string): Buffer {
  const requests = [rawRequest(random, token), ...times(random, 2, () => rawRequest(random, token))]
  const bytes = Buffer.from(requests.join(''), 'latin1')
  return chance(random, 0.3) ? mutatedBytes(random, bytes) : bytes
}

function rawRequest(random: Random, token: string): string {
  const query = drawQuery(random)
  const path = `${chance(random, 0.05) ? 'https://evil.example' : ''}${drawPath(random)}`
  const lines = [
    `${drawMethod(random)} ${path}${query === '' ? '' : `?${query}`} ${pick(random, VERSIONS)}`,
    ...(chance(random, 0.95) ? ['Host: x'] : []),
    ...drawHeaders(random).map(([name, value]) => `${name}: ${value}`),
    ...(chance(random, 0.3) ? drawUpgrade(random, token).map(([name, value]) => `${name}: ${value}`) : []),
    ...(chance(random, 0.3) ? [`Authorization: Bearer ${token}`] : []),
    ...(chance(random, 0.1) ? [`${pick(random, ODD_TEXTS)}: x`, ' folded'] : []),
    ...pick(random, LENGTHS),
  ]
  const end = chance(random, 0.95) ? '\r\n' : '\n'
  return `${lines.join(end)}${end}${end}${chance(random, 0.5) ? HIDDEN : pick(random, CHUNKED)}`
}

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/** Types of frames. */
const [DATA, HEADERS, RESET, SETTINGS, PING, WINDOW, CONTINUATION] = [0, 1, 3, 4, 6, 8, 9]

/** An HTTP/2 connection: a preface, then frames, most of them well-formed requests without a credential. */
export function drawHttp2(random: Random): Buffer {
  const frames = Array.from({ length: 1 + randomInteger(random, 8) }, (_, index) => http2Frame(random, 2 * index + 1))
  const bytes = Buffer.concat([Buffer.from(PREFACE), frame(SETTINGS, 0, 0, Buffer.alloc(0)), ...frames])
  return chance(random, 0.5) ? Buffer.concat([bytes.subarray(0, 33), mutatedBytes(random, bytes.subarray(33))]) : bytes
}

function http2Frame(random: Random, stream: number): Buffer {
  switch (randomInteger(random, 8)) {
    case 0:
      return frame(DATA, 1, stream, Buffer.from(HIDDEN))
    case 1:
      return frame(RESET, 0, stream, Buffer.alloc(4))
    case 2:
      return frame(PING, 0, 0, Buffer.alloc(8))
    case 3:
      return frame(WINDOW, 0, chance(random, 0.5) ? 0 : stream, Buffer.from([0x7f, 0xff, 0xff, 0xff]))
    case 4:
      return frame(CONTINUATION, 4, stream, Buffer.from([0x82]))
    default:
      return frame(HEADERS, chance(random, 0.8) ? 5 : 1, stream, headerBlock(random))
  }
}

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

function headerBlock(random: Random): Buffer {
  const pseudo: readonly (readonly [string, string])[] = [
    [':method', drawMethod(random)],
    [':scheme', 'https'],
    [':path', drawPath(random)],
    [':authority', 'x'],
  ]
  const given = [...pseudo.slice(chance(random, 0.05) ? 1 : 0), ...drawHeaders(random)]
  return Buffer.concat(given.map(([name, value]) => literal(name.toLowerCase(), value)))
}

/** HPACK: a literal field without indexing, names and values below 127 bytes. */
function literal(name: string, value: string): Buffer {
  const part = (text: string) => {
    const bytes = Buffer.from(text.slice(0, 126), 'latin1')
    return Buffer.concat([Buffer.from([bytes.length]), bytes])
  }
  return Buffer.concat([Buffer.from([0]), part(name), part(value)])
}
