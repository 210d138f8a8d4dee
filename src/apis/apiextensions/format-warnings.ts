/** Warnings about formats that nothing checks: they are kept and have no effect. */

import { isKnownFormat } from '../../machinery/schema/formats.ts'
import { someSchemaOf } from './schema-walk.ts'
import type { CustomResourceDefinition } from './types.gen.ts'

/** Formats are warned of once, when they come. */
export function formatWarnings(
  object: CustomResourceDefinition,
  previous: CustomResourceDefinition | undefined,
): readonly string[] {
  const known = new Set(previous === undefined ? [] : unknownFormats(previous))
  return unknownFormats(object)
    .filter((format) => !known.has(format))
    .map((format) => `unrecognized format ${JSON.stringify(format)}`)
}

function unknownFormats({ spec }: CustomResourceDefinition): readonly string[] {
  const found: string[] = []
  someSchemaOf(spec, ({ format = '', type = '' }) => {
    if (format !== '' && !isKnownFormat(format, type)) found.push(format)
    return false
  })
  return found
}
