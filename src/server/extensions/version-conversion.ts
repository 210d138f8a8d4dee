/** What is stored of a custom resource in terms of one of its versions, by the webhook of its definition. */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { createCodec } from '../registry/codec.ts'
import { type ConversionParts, convertObjects } from './conversion-review.ts'
import type { ServedDefinitions } from './served-definitions.ts'
import type { ValueConversion } from './version-storage.ts'

const NEWLINE = 0x0a

/** Undefined where no webhook converts. */
export function versionConversion(
  parts: ConversionParts,
  served: ServedDefinitions,
  definition: ResourceDefinition,
): ValueConversion | undefined {
  if (served.originOf(definition)?.spec.conversion?.strategy !== 'Webhook') return undefined
  const origin = () => {
    const crd = served.originOf(definition)
    if (crd === undefined) throw new Error(`${definition.resource}.${definition.group} is not defined any more`)
    return crd
  }
  const own = apiVersionOf(definition)
  const codec = createCodec(definition)
  return {
    async read(values) {
      const foreign = values.map((value) => !isOfVersion(value, own))
      if (!foreign.includes(true)) return values
      const objects = values.filter((_, index) => foreign[index]).map(objectIn)
      const current = objects.map((object) => definition.conversion?.fromStored(object) ?? object)
      const converted = (await convertObjects(parts, origin(), current, own)).values()
      return values.map((value, index) => {
        const object = foreign[index] ? converted.next().value : undefined
        return object === undefined ? value : codec.encode(definition.conversion?.fromStored(object) ?? object)
      })
    },
    async write(value) {
      const crd = origin()
      const target = served.stored(crd.metadata.name ?? '')
      if (target === undefined || target.version === definition.version) return value
      const [converted] = await convertObjects(parts, crd, [objectIn(value)], apiVersionOf(target))
      return converted === undefined ? value : createCodec(target).encode(converted)
    },
  }
}

function isOfVersion(value: Uint8Array, apiVersion: string): boolean {
  const head = Buffer.from(value.buffer, value.byteOffset, Math.min(value.length, HEAD_BYTES_MAX)).toString('latin1')
  return head.slice(head.indexOf('\n') + 1).includes(`","apiVersion":${JSON.stringify(apiVersion)},"metadata":{`)
}

/** Bytes before the metadata: stamp, kind and apiVersion are names of at most 63 and 317 characters. */
const HEAD_BYTES_MAX = 1_024

function objectIn(value: Uint8Array): KubeObject {
  const json = value.subarray(value.indexOf(NEWLINE) + 1)
  // What is stored was written by a codec.
  return JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.length).toString()) as KubeObject
}
