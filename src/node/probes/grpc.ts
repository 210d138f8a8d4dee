/**
 * The gRPC health check (grpc.health.v1.Health/Check) over HTTP/2, with the two messages it needs written by hand:
 * HealthCheckRequest { string service = 1 }, HealthCheckResponse { ServingStatus status = 1 (SERVING = 1) }.
 */

const SERVING = 1
const STATUS_FIELD_TAG = 0x08
/** gRPC's prefix of a message: compressed flag and length. */
const PREFIX_BYTES = 5

export async function checkGrpc(
  host: string,
  port: number,
  service: string,
  signal: AbortSignal,
): Promise<{ readonly ok: boolean; readonly output: string }> {
  // Loaded with the first check: few containers are asked in this way.
  const { connect } = await import('node:http2')
  signal.throwIfAborted()
  const session = connect(`http://${host}:${port}`)
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly ok: boolean; readonly output: string }>()
  const fail = (error: Error) => reject(error)
  const onAbort = () => reject(signal.reason)
  session.on('error', fail)
  signal.addEventListener('abort', onAbort, { once: true })
  const stream = session.request({
    ':method': 'POST',
    ':path': '/grpc.health.v1.Health/Check',
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'kube-probe/1.36',
  })
  const chunks: Buffer[] = []
  let grpcStatus = ''
  stream.on('error', fail)
  stream.on('response', (headers) => {
    grpcStatus = String(headers['grpc-status'] ?? grpcStatus)
  })
  stream.on('trailers', (headers) => {
    grpcStatus = String(headers['grpc-status'] ?? grpcStatus)
  })
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('end', () => resolve(verdict(Buffer.concat(chunks), grpcStatus, service)))
  stream.end(requestMessage(service))
  return promise.finally(() => {
    signal.removeEventListener('abort', onAbort)
    session.destroy()
  })
}

function requestMessage(service: string): Buffer {
  const name = Buffer.from(service)
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a]), varint(name.length), name])
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest])
    bytes.push((rest & 0x7f) | 0x80)
  }
}

function verdict(body: Buffer, grpcStatus: string, service: string): { readonly ok: boolean; readonly output: string } {
  if (grpcStatus !== '0' && grpcStatus !== '')
    return { ok: false, output: `error: health rpc probe failed: rpc error: code = ${grpcStatus}` }
  const message = body.subarray(PREFIX_BYTES)
  const status = message[0] === STATUS_FIELD_TAG ? (message[1] ?? 0) : 0
  return status === SERVING
    ? { ok: true, output: '' }
    : {
        ok: false,
        output: `service unhealthy (responded with "${status === 0 ? 'UNKNOWN' : 'NOT_SERVING'}") ${service}`,
      }
}
