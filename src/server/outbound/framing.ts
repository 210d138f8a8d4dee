/**
 * Where the body of a request ends that is sent on. Both servers must mean the same: what one takes for a body and the
 * other for the next request is a request that nobody asked about, in the name of whoever sends it on.
 */

/** Bytes of a body that is read first; upstream's limit on bodies: twice etcd's limit on a value. */
export const BODY_BYTES_MAX = 3 * 1024 * 1024

/** Node sends bodies of these in chunks where they have no length; of others without any frame. */
const CHUNKED_METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

/** Whether a body must be read before it is sent on, for its length. */
export function mustBeRead(method: string, headers: Readonly<Record<string, unknown>>): boolean {
  return headers['content-length'] === undefined && !CHUNKED_METHODS.has(method)
}

/** The bytes of a stream. Undefined: there are more than `bytesMax`, and the rest is not read. */
export async function collect(stream: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > bytesMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
