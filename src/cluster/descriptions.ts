/** The texts of the API's fields, which `npm run build` puts beside the program. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>

/** Beside the bundle, or where the sources keep it. */
const PLACES = ['./descriptions.json', '../../.cache/openapi/descriptions.json']

/** Without the file the API's documents have the same structure and no texts. */
export function readDescriptions(): Descriptions {
  const place = PLACES.map((path) => join(import.meta.dirname, path)).find(existsSync)
  return place ? JSON.parse(readFileSync(place, 'utf8')) : {}
}
