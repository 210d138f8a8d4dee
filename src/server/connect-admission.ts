/** What admission is asked before a connection to a container, a service or a node is made. */

import type { KubeObject } from '../machinery/meta/object.ts'
import { type Exchange, userOf, warnTo } from './handlers/exchange.ts'
import { isTrue } from './handlers/flags.ts'
import type { RouteTarget } from './handlers/routes.ts'
import type { AdmissionAttributes, AdmissionHooks } from './registry/admission-hooks.ts'

/** The kinds of options by resource and subresource; what is not here is no connection but an answer. */
const KINDS: Readonly<Record<string, string>> = {
  'pods/exec': 'PodExecOptions',
  'pods/attach': 'PodAttachOptions',
  'pods/portforward': 'PodPortForwardOptions',
  'pods/proxy': 'PodProxyOptions',
  'services/proxy': 'ServiceProxyOptions',
  'nodes/proxy': 'NodeProxyOptions',
}

/** Throws `ApiError` to refuse. What plugins change of the options changes nothing: the request stays as it was sent. */
export async function admitConnection(
  admission: AdmissionHooks,
  { request, registry }: Exchange,
  target: RouteTarget,
): Promise<void> {
  const kind = KINDS[`${target.resource}/${target.subresource}`]
  if (kind === undefined) return
  const options = connectOptions(kind, target, request.query)
  const attributes: AdmissionAttributes = {
    operation: 'CONNECT',
    definition: registry.definition,
    subresource: target.subresource,
    namespace: target.namespace,
    name: target.name,
    object: options,
    previous: undefined,
    user: userOf(request),
    dryRun: false,
    options: {},
    signal: request.signal,
    warn: warnTo(request),
    audit: request.audit,
  }
  const object = await admission.mutate(attributes, options)
  await admission.validate({ ...attributes, object })
}

const STREAMS = ['stdin', 'stdout', 'stderr', 'tty']

/** The query of a connection as the API's object; what is not said, and what is false, is left out. */
export function connectOptions(kind: string, { rest }: Pick<RouteTarget, 'rest'>, query: URLSearchParams): KubeObject {
  const named = { kind, apiVersion: 'v1', metadata: {} }
  const streams = Object.fromEntries(STREAMS.filter((name) => isTrue(query.get(name))).map((name) => [name, true]))
  const container = query.get('container')
  const place = container ? { container } : {}
  switch (kind) {
    case 'PodExecOptions':
      return { ...named, ...streams, ...place, ...{ command: query.getAll('command') } }
    case 'PodAttachOptions':
      return { ...named, ...streams, ...place }
    case 'PodPortForwardOptions': {
      const ports = query.getAll('ports').flatMap((text) => text.split(',').map(Number))
      return ports.length === 0 ? named : { ...named, ...{ ports } }
    }
    default:
      return rest === '' ? named : { ...named, ...{ path: rest } }
  }
}
