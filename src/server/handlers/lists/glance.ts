/** An object for one look: parsed for nobody else, so neither frozen nor kept. */

import type { KubeObject } from '../../../machinery/meta/object.ts'

/** `bytes` are those of an object of this type. */
export function glance<T extends KubeObject>(bytes: Uint8Array): T {
  // The codec wrote them from such an object.
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) as T
}
