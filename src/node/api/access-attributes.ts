/**
 * What the API of a node asks the cluster about a caller: the rights to subresources of the Node, as upstream's kubelet
 * names them. `nodes/proxy` is the right to everything; some paths have a smaller one of their own.
 */

/** Rights of which any one suffices. */
export interface AccessQuestion {
  readonly verb: string
  readonly subresources: readonly string[]
}

const VERBS: ReadonlyMap<string, string> = new Map([
  ['POST', 'create'],
  ['GET', 'get'],
  ['PUT', 'update'],
  ['PATCH', 'patch'],
  ['DELETE', 'delete'],
])

/** By the first part of the path. */
const SUBRESOURCES: ReadonlyMap<string, readonly string[]> = new Map([
  ['stats', ['stats']],
  ['metrics', ['metrics']],
  ['logs', ['log']],
  ['checkpoint', ['checkpoint']],
  ['statusz', ['statusz']],
  ['flagz', ['configz']],
  ['pods', ['pods', 'proxy']],
  ['runningpods', ['pods', 'proxy']],
  ['healthz', ['healthz', 'proxy']],
  ['configz', ['configz', 'proxy']],
])

const EVERYTHING = ['proxy']
/** They run commands or reach into pods, however they are asked for: WebSockets come as GET. */
const STREAMS: ReadonlySet<string> = new Set(['exec', 'attach', 'portForward'])

/** All must be answered with yes. `start`: the first part of the path, decoded. */
export function questionsOf(method: string, start: string): readonly AccessQuestion[] {
  const subresources = SUBRESOURCES.get(start) ?? EVERYTHING
  const asked = { verb: VERBS.get(method) ?? '', subresources }
  return STREAMS.has(start) && asked.verb !== 'create' ? [asked, { verb: 'create', subresources }] : [asked]
}
