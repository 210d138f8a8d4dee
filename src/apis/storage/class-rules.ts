/** What storage classes and volume attributes classes have in common: a driver's name and parameters for it. */

import { type FieldError, type FieldPath, invalidValue, required, tooLong } from '../../machinery/meta/field-error.ts'
import { byteLength } from '../../machinery/meta/names.ts'
import { dnsSubdomainErrors, qualifiedNameErrors } from '../field-rules.ts'

const PARAMETERS_MAX = 512
/** Bytes of all names and values of parameters together. */
const PARAMETER_BYTES_MAX = 256 * 1024
const DRIVER_NAME_BYTES_MAX = 63

export function provisionerErrors(path: FieldPath, name: string): readonly FieldError[] {
  return name === '' ? [required(path)] : qualifiedNameErrors(path, name.toLowerCase())
}

export function parameterErrors(path: FieldPath, parameters: Readonly<Record<string, string>>): readonly FieldError[] {
  const entries = Object.entries(parameters)
  if (entries.length > PARAMETERS_MAX) return [tooLong(path, PARAMETERS_MAX)]
  const errors = entries.filter(([name]) => name === '').map(() => invalidValue(path, '', 'field can not be empty.'))
  return totalBytes(parameters) > PARAMETER_BYTES_MAX ? [...errors, tooLong(path, PARAMETER_BYTES_MAX)] : errors
}

/** Bytes of all names and values. */
export function totalBytes(record: Readonly<Record<string, string>>): number {
  return Object.entries(record).reduce((total, [name, value]) => total + byteLength(name) + byteLength(value), 0)
}

/** A CSI driver's name where another object says it. */
export function driverNameErrors(path: FieldPath, name: string): readonly FieldError[] {
  if (name === '') return [required(path)]
  const errors = byteLength(name) > DRIVER_NAME_BYTES_MAX ? [tooLong(path, DRIVER_NAME_BYTES_MAX)] : []
  const wrong = dnsSubdomainErrors(path, name.toLowerCase()).length > 0
  return wrong ? [...errors, ...dnsSubdomainErrors(path, name)] : errors
}
