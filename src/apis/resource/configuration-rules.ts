/** Configuration that only a driver understands: an object of bounded size, and whose it is. */

import { type FieldError, type FieldPath, invalidValue, required, tooLong } from '../../machinery/meta/field-error.ts'
import { byteLength } from '../../machinery/meta/names.ts'
import { driverNameErrors } from './names.ts'
import type { DeviceClassConfiguration } from './types.gen.ts'

const RAW_BYTES_MAX = 10 * 1024

export function configurationErrors(path: FieldPath, { opaque }: DeviceClassConfiguration): readonly FieldError[] {
  const opaquePath = path.child('opaque')
  if (opaque === undefined) return [required(opaquePath)]
  return [
    ...driverNameErrors(opaquePath.child('driver'), opaque.driver),
    ...rawObjectErrors(opaquePath.child('parameters'), opaque.parameters),
  ]
}

/** Any JSON object. */
export function rawObjectErrors(path: FieldPath, value: unknown): readonly FieldError[] {
  if (value === undefined || value === null) return [required(path)]
  if (byteLength(JSON.stringify(value)) > RAW_BYTES_MAX) return [tooLong(path, RAW_BYTES_MAX)]
  if (typeof value === 'object' && !Array.isArray(value)) return []
  return [invalidValue(path, '<value omitted>', 'must be a valid JSON object')]
}
