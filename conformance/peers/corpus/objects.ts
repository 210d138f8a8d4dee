/** Valid objects to start from: the smallest ones that tests use, and rich ones where more fields say more. */

import { defineResource } from '../../../src/apis/define-resource.ts'
import { minimalObject } from '../../../test/support/minimal-objects.ts'
import type { Kind } from './kinds.ts'
import { RICH } from './rich-objects.ts'

/** In the namespace of the corpus, or in none. */
export function baseObjects(kind: Kind): readonly object[] {
  const { apiVersion, kind: name, namespaced } = kind
  const rich = Object.hasOwn(RICH, `${apiVersion} ${name}`) ? RICH[`${apiVersion} ${name}`] : undefined
  if (rich) return rich.map((parts) => ({ apiVersion, kind: name, metadata: { name: 'base' }, ...parts }))
  const slash = apiVersion.indexOf('/')
  const definition = defineResource({
    group: kind.group,
    version: apiVersion.slice(slash + 1),
    kind: name,
    resource: '',
    scope: namespaced ? 'Namespaced' : 'Cluster',
    schema: {},
  })
  const { metadata, ...parts } = minimalObject(definition, 'base')
  return [{ ...parts, metadata: { name: metadata.name } }]
}
