/** Every kind that is served and can be created, with its place in the API and in the facts. */

import { type ResourceFacts, readFacts } from '../../../openapi/facts.ts'

export interface Kind {
  /** Without the version; empty for core. */
  readonly group: string
  readonly apiVersion: string
  readonly kind: string
  readonly namespaced: boolean
  /** Name in the facts: `apps.v1.Deployment`. */
  readonly definition: string
  /** Of the collection, in a namespace where it has one. */
  url(namespace: string): string
  /** Whether objects stay: not so for reviews. */
  readonly stored: boolean
  readonly hasStatus: boolean
}

export function servedKinds(): readonly Kind[] {
  const { definitions, resources } = readFacts()
  const nameOf = ({ gv, kind }: ResourceFacts) =>
    Object.entries(definitions).find(
      ([name, { gvk = [] }]) => gvk.includes(`${gv}/${kind}`) || (gvk.includes(gv) && name.endsWith(`.${kind}`)),
    )?.[0]
  return resources.flatMap((resource) => {
    const definition = nameOf(resource)
    if (resource.profile === 'all' || definition === undefined || !resource.verbs?.includes('create')) return []
    return [kindOf(resource, definition)]
  })
}

function kindOf({ gv, kind, scope, resource, verbs = '', sub = {} }: ResourceFacts, definition: string): Kind {
  const root = gv.includes('/') ? `/apis/${gv}` : `/api/${gv}`
  const namespaced = scope === 'Namespaced'
  return {
    group: gv.includes('/') ? gv.slice(0, gv.indexOf('/')) : '',
    apiVersion: gv,
    kind,
    namespaced,
    definition,
    url: (namespace) => (namespaced ? `${root}/namespaces/${namespace}/${resource}` : `${root}/${resource}`),
    stored: verbs.includes('get'),
    hasStatus: 'status' in sub,
  }
}
