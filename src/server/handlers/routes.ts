/** From what a request is about to the handler of its verb, or the refusal that upstream gives. */

import type { Catalog } from '../../apis/catalog.ts'
import type { ResourceDefinition, Verb } from '../../apis/definition.ts'
import type { Awaitable } from '../../base/awaitable.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { methodNotAllowed, methodNotSupported, notFound, pageNotFound } from '../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import type { ApiRequest, ApiResponse } from '../../machinery/wire/message.ts'
import { mainEndpoint, statusEndpoint } from '../registry/endpoints.ts'
import type { Registries } from '../registry/registries.ts'
import { partEndpoint } from '../registry/subresources/parts.ts'
import { create } from './create.ts'
import { deleteOne } from './delete.ts'
import { deleteCollection } from './delete-collection.ts'
import type { Exchange, ResourceTarget } from './exchange.ts'
import { get } from './get.ts'
import { list } from './list.ts'
import { checkRouteMakes, LIST_TYPES, negotiate, OBJECT_TYPES } from './negotiate.ts'
import { patch } from './patch.ts'
import { messageOf } from './protobuf-answers.ts'
import { scaleView } from './scale.ts'
import { update } from './update.ts'
import { type View, wholeView } from './view.ts'
import { watch } from './watch/watch.ts'

export interface RouteTarget extends ResourceTarget {
  readonly group: string
  readonly version: string
  readonly resource: string
  /** What follows the subresource in the path. */
  readonly rest: string
}

/**
 * Handlers in place of the usual ones, keyed by `group/resource/subresource`: binding, eviction, token, log, exec. With
 * an empty subresource, for resources that are asked and not stored: reviews, bindings.
 */
export type SubresourceHandlers = ReadonlyMap<string, SubresourceHandler>

export interface SubresourceHandler {
  /** Undefined: not for this verb. */
  handle(exchange: Exchange, target: RouteTarget): Awaitable<ApiResponse> | undefined
}

export interface RouteParts {
  readonly catalog: Catalog
  readonly registries: Registries
  readonly clock: Clock
  readonly random: Random
  readonly subresources: SubresourceHandlers
}

type VerbHandler = (exchange: Exchange) => Awaitable<ApiResponse>

const MAIN_VERBS: ReadonlyMap<string, { readonly verb: Verb; readonly handle: VerbHandler }> = new Map([
  ['get', { verb: 'get', handle: get }],
  ['list', { verb: 'list', handle: list }],
  ['watch', { verb: 'watch', handle: watch }],
  ['create', { verb: 'create', handle: create }],
  ['update', { verb: 'update', handle: update }],
  ['patch', { verb: 'patch', handle: patch }],
  ['delete', { verb: 'delete', handle: deleteOne }],
  ['deletecollection', { verb: 'deletecollection', handle: deleteCollection }],
])

/** Verbs on an object-shaped subresource. */
const VIEW_VERBS: ReadonlyMap<string, VerbHandler> = new Map([
  ['get', get],
  ['update', update],
  ['patch', patch],
])

/** Verbs that a path without a namespace has for resources that live in one. */
const VERBS_ACROSS_NAMESPACES: ReadonlySet<string> = new Set(['list', 'watch'])

/** Verbs that go with a name, and those that do not: a POST to an object is no create. A watch may have one. */
const NAMED_VERBS: ReadonlySet<string> = new Set(['get', 'update', 'patch', 'delete'])

export function handleResource(parts: RouteParts, request: ApiRequest, target: RouteTarget): Awaitable<ApiResponse> {
  const { group, version, resource } = target
  const definition = parts.catalog.byResource(group, version, resource)
  if (!definition) throw pageNotFound()
  if (definition.scope === 'Cluster' && target.namespace !== '' && resource !== 'namespaces') throw pageNotFound()
  if (definition.scope === 'Namespaced' && target.namespace === '' && target.name !== '') throw pageNotFound()
  if (isOnlyAsked(definition) && target.name !== '') throw pageNotFound()
  if (target.rest.length > 1 && target.subresource !== 'proxy') throw pageNotFound()
  // A HEAD is authorized as the GET it stands for, and answered by nobody.
  if (request.method === 'HEAD') throw methodNotAllowed()
  const registry = parts.registries.of(definition)
  const exchange = {
    request,
    target,
    registry,
    view: mainView(definition),
    clock: parts.clock,
    random: parts.random,
  }
  const own = parts.subresources.get(`${group}/${resource}/${target.subresource}`)
  const answer = own?.handle(exchange, target)
  if (answer) return answer
  return target.subresource === '' ? handleMain(exchange, target) : handlePart(exchange, target, own !== undefined)
}

/** Of each definition, as long as it is there. */
const mainViews = new WeakMap<ResourceDefinition, View<KubeObject>>()

function mainView(definition: ResourceDefinition): View<KubeObject> {
  const known = mainViews.get(definition)
  if (known !== undefined) return known
  const view = wholeView(definition, mainEndpoint(definition))
  mainViews.set(definition, view)
  return view
}

function handleMain(exchange: Exchange, target: RouteTarget): Awaitable<ApiResponse> {
  const { definition } = exchange.registry
  const { verb } = target
  const route = MAIN_VERBS.get(verb)
  const fits = verb === 'watch' || NAMED_VERBS.has(verb) === (target.name !== '')
  const served = route && definition.verbs.includes(route.verb) && fits
  const across = definition.scope === 'Namespaced' && target.namespace === ''
  const reaches = !across || VERBS_ACROSS_NAMESPACES.has(verb)
  // Lists have a route, which a watch takes as well.
  const isRefusedLater = verb === 'watch' && !served && definition.verbs.includes('list')
  if (!route || !(served || isRefusedLater) || !reaches || isOnlyAsked(definition)) throw methodNotAllowed()
  if (definition.deprecationWarning !== undefined) {
    exchange.request.warn?.(definition.deprecationWarning)
    // Custom resources are not counted among the API's own that go away.
    if (definition.schemaStamp === undefined) exchange.request.audit?.annotate('k8s.io/deprecated', 'true')
  }
  if (isRefusedLater) throw methodNotSupported(definition, verb)
  checkForm(exchange, verb)
  return route.handle(exchange)
}

/** Reviews and bindings can be created but not read: without a handler of their own there is nothing to do with one. */
function isOnlyAsked({ verbs }: ResourceDefinition): boolean {
  return verbs.includes('create') && !verbs.includes('get')
}

/** `isKnown`: it exists, though not for this verb. */
function handlePart(exchange: Exchange, target: RouteTarget, isKnown: boolean): Awaitable<ApiResponse> {
  const { definition } = exchange.registry
  const view = viewOf(definition, target.subresource)
  if (!view && definition.schemaStamp !== undefined) throw notFound(definition, target.name)
  if (!view) throw isKnown ? methodNotAllowed() : pageNotFound()
  const handle = VIEW_VERBS.get(target.verb)
  if (!handle) throw methodNotAllowed()
  checkForm({ ...exchange, view }, target.verb)
  return handle({ ...exchange, view })
}

/** Throws 406 for a form that there is not, before anything is done. Custom resources have no routes of their own. */
function checkForm({ request, registry: { definition }, view }: Exchange, verb: string): void {
  if (request.wants === 'object' || verb === 'watch') return
  const isCollection = verb === 'list'
  if (definition.schemaStamp === undefined) checkRouteMakes(isCollection ? LIST_TYPES : OBJECT_TYPES, request)
  negotiate(request, { protobuf: messageOf(view.kind) !== undefined })
}

function viewOf(definition: ResourceDefinition, subresource: string): View<KubeObject> | undefined {
  if (subresource === 'scale') return scaleView(definition)
  const endpoint = subresource === 'status' ? statusEndpoint(definition) : partEndpoint(definition, subresource)
  return endpoint && wholeView(definition, endpoint)
}
