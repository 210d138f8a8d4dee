/** Protobuf by hand, for tests: fields to bytes, and the envelope that Kubernetes puts around a message. */

/** Strings, bytes and messages are length-delimited, numbers and booleans varints. */
export type FieldValue = string | number | bigint | boolean | Uint8Array

/** `[1, 'name'], [2, 80]` → bytes. A field may stand several times: that is a list. */
export function message(...fields: readonly (readonly [number, FieldValue])[]): Buffer {
  return Buffer.concat(fields.map(([number, value]) => field(number, value)))
}

export function field(number: number, value: FieldValue): Buffer {
  if (typeof value === 'string' || value instanceof Uint8Array) {
    const bytes = Buffer.from(value)
    return Buffer.concat([varint((BigInt(number) << 3n) | 2n), varint(BigInt(bytes.length)), bytes])
  }
  return Buffer.concat([varint(BigInt(number) << 3n), varint(BigInt.asUintN(64, BigInt(value)))])
}

export function varint(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = value
  do {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    bytes.push(rest === 0n ? low : low | 0x80)
  } while (rest !== 0n)
  return Buffer.from(bytes)
}

/** An entry of a map with string keys. */
export function entry(key: string, value: FieldValue): Buffer {
  return message([1, key], [2, value])
}

export function envelope(apiVersion: string, kind: string, raw: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('k8s\0'), message([1, message([1, apiVersion], [2, kind])], [2, raw])])
}

/** A deployment of two containers' worth of nested messages, lists, maps and special forms. */
export function deploymentMessage(name: string): Buffer {
  const labels = entry('app', 'web')
  const meta = message([1, name], [3, 'default'], [11, labels])
  const port = message([3, 80], [4, 'TCP'])
  const probe = message([1, message([2, message([1, '/ready'], [2, message([1, 1], [3, 'http'])])])], [2, 5])
  const limits = message([1, entry('cpu', message([1, '100m']))])
  const container = message([1, 'app'], [2, 'registry.example/app:1'], [6, port], [8, limits], [11, probe])
  const podSpec = message([2, container])
  const template = message([1, message([11, labels])], [2, podSpec])
  const spec = message([1, 2], [2, message([1, labels])], [3, template])
  return envelope('apps/v1', 'Deployment', message([1, meta], [2, spec]))
}
