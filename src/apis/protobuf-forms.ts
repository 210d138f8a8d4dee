/**
 * Objects of the built-in API in `application/vnd.kubernetes.protobuf`, in and out. Custom resources have no such
 * form; their metadata does, as PartialObjectMetadata.
 */

import { badRequest } from '../machinery/meta/api-error.ts'
import { parseApiVersion } from '../machinery/meta/group-version.ts'
import { isShared } from '../machinery/schema/canonical.ts'
import { ProtobufDecoder } from '../machinery/wire/protobuf-decode.ts'
import { ProtobufEncoder } from '../machinery/wire/protobuf-encode.ts'
import { protobufMessages } from './protobuf-facts.gen.ts'

export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf'

export const protobufEncoder = new ProtobufEncoder(protobufMessages, isShared)
const decoder = new ProtobufDecoder(protobufMessages)

/** Throws `DecodeError` for bytes that are no protobuf object, 400 for a kind that has no protobuf form. */
export function decodeProtobuf(bytes: Uint8Array): unknown {
  const { apiVersion, kind, message } = decoder.envelope(bytes)
  const name = messageOfKind(apiVersion, kind)
  if (name === undefined)
    throw badRequest(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`)
  const object = decoder.decode(name, message)
  return typeof object === 'object' && object !== null ? { ...object, apiVersion, kind } : object
}

/** An object that says its kind. Undefined when the kind has no protobuf form. */
export function encodeProtobuf(object: object): Uint8Array | undefined {
  const apiVersion = String(Reflect.get(object, 'apiVersion') ?? '')
  const kind = String(Reflect.get(object, 'kind') ?? '')
  const message = messageOfKind(apiVersion, kind)
  if (message === undefined) return undefined
  return protobufEncoder.envelope(apiVersion, kind, protobufEncoder.encode(message, object))
}

/** Whether the kind is one of upstream's own, whose objects have a protobuf form. */
export function isBuiltInKind(apiVersion: string, kind: string): boolean {
  return messageOfKind(apiVersion, kind) !== undefined
}

/**
 * Messages are named after the first label of their group, which for built-in groups is either alone or under
 * k8s.io; what belongs to every group (options, Status, metadata) is named once.
 */
function messageOfKind(apiVersion: string, kind: string): string | undefined {
  const parsed = parseApiVersion(apiVersion)
  if (!parsed) return undefined
  const { group, version } = parsed
  const [first = '', ...rest] = group.split('.')
  const isBuiltIn = rest.length === 0 || group.endsWith('.k8s.io')
  const own = `${first === '' ? 'core' : first}.${version}.${kind}`
  return [...(isBuiltIn ? [own] : []), `meta.v1.${kind}`].find((name) => protobufEncoder.knows(name))
}
