/** Request bodies in protobuf as the JSON values that handlers work with. Answers are JSON: every client takes both. */

import { protobufMessages } from '../../apis/protobuf-facts.gen.ts'
import { badRequest } from '../../machinery/meta/api-error.ts'
import { parseApiVersion } from '../../machinery/meta/group-version.ts'
import { ProtobufDecoder } from '../../machinery/wire/protobuf.ts'

export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf'

const decoder = new ProtobufDecoder(protobufMessages)

/** Throws `DecodeError` for bytes that are no protobuf object, 400 for a kind that has no protobuf form. */
export function decodeProtobuf(bytes: Uint8Array): unknown {
  const { apiVersion, kind, message } = decoder.envelope(bytes)
  const name = messageName(apiVersion, kind)
  if (name === undefined)
    throw badRequest(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`)
  const object = decoder.decode(name, message)
  return typeof object === 'object' && object !== null ? { ...object, apiVersion, kind } : object
}

/** Messages are named after the first label of their group; options belong to every group and are named once. */
function messageName(apiVersion: string, kind: string): string | undefined {
  const parsed = parseApiVersion(apiVersion)
  if (!parsed) return undefined
  const group = parsed.group === '' ? 'core' : parsed.group.split('.')[0]
  return [`${group}.${parsed.version}.${kind}`, `meta.v1.${kind}`].find((name) => decoder.knows(name))
}
