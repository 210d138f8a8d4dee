/**
 * The operations of the API as both document versions need them: which paths there are, what each method
 * takes and returns. Everything follows from the verbs and subresources of the definitions.
 */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { apiVersionOf, type GroupVersion, type GroupVersionKind } from '../../machinery/meta/group-version.ts'
import { type ServedSubresource, servedSubresources } from '../discovery/resources.ts'
import { connectOptions } from './facts.gen.ts'
import { customName, definitionOfKind, fullName } from './schemas.ts'

export type Method = 'get' | 'put' | 'post' | 'delete' | 'options' | 'head' | 'patch'

export interface Operation {
  readonly id: string
  readonly tag: string
  readonly action?: string | undefined
  readonly kind?: GroupVersionKind | undefined
  /** Names of query parameters. */
  readonly query: readonly string[]
  /** The kind of options that the query parameters belong to. */
  readonly options?: string | undefined
  /** Full definition name. */
  readonly body?: { readonly definition: string; readonly required: boolean } | undefined
  readonly consumes?: readonly string[] | undefined
  readonly produces?: readonly string[] | undefined
  /** Full definition name by status code; `string` is plain text. */
  readonly responses: Readonly<Record<string, string>>
}

export interface PathOperations {
  readonly path: string
  /** `name:<Kind>`, `namespace`, `pretty`, `path@`. */
  readonly parameters: readonly string[]
  readonly methods: Partial<Record<Method, Operation>>
}

const OBJECTS = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']
const STREAMS = [...OBJECTS, 'application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch']
const PATCHES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]
const ANYTHING = ['*/*']
/** What custom resources are sent and answered in. */
const CUSTOM = ['application/json', 'application/yaml']
const CUSTOM_PATCHES = PATCHES.filter((type) => !type.includes('strategic'))

const LIST_QUERY = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'shardSelector',
  'timeoutSeconds',
  'watch',
]
const DELETE_QUERY = [
  'dryRun',
  'gracePeriodSeconds',
  'ignoreStoreReadErrorWithClusterBreakingPotential',
  'orphanDependents',
  'propagationPolicy',
]
const DELETE_COLLECTION_QUERY = [
  ...LIST_QUERY.filter((name) => name !== 'allowWatchBookmarks' && name !== 'watch'),
  ...DELETE_QUERY,
].sort()
const WRITE_QUERY = ['dryRun', 'fieldManager', 'fieldValidation']

const meta = (kind: string): string => fullName(`meta.v1.${kind}`)
export const DELETE_OPTIONS = meta('DeleteOptions')
export const PATCH = meta('Patch')
export const STATUS = meta('Status')
export const WATCH_EVENT = meta('WatchEvent')

/** Names of a group version inside operation ids and tags. */
interface Names {
  readonly id: string
  readonly tag: string
}

/** Paths that are there whatever is served. */
export function commonPaths(): readonly PathOperations[] {
  const text = (id: string, tag: string, type: string): Operation => ({
    ...simple(id, tag, 'string', [type]),
    consumes: undefined,
  })
  return [
    rootPath('/api/', simple('getCoreAPIVersions', 'core', meta('APIVersions'))),
    rootPath('/apis/', simple('getAPIVersions', 'apis', meta('APIGroupList'))),
    rootPath('/version/', simple('getCodeVersion', 'version', fullName('version#.Info'), ['application/json'])),
    rootPath(
      '/.well-known/openid-configuration/',
      text('getServiceAccountIssuerOpenIDConfiguration', 'WellKnown', 'application/json'),
    ),
    rootPath('/openid/v1/jwks/', text('getServiceAccountIssuerOpenIDKeyset', 'openid', 'application/jwk-set+json')),
  ]
}

export function groupPath(group: string): PathOperations {
  const name = identifier(shortGroup(group))
  return rootPath(`/apis/${group}/`, simple(`get${name}APIGroup`, lowerFirst(name), meta('APIGroup')))
}

export function versionPath(groupVersion: GroupVersion): PathOperations {
  const names = namesOf(groupVersion)
  return rootPath(
    `${basePath(groupVersion)}/`,
    simple(`get${names.id}APIResources`, names.tag, meta('APIResourceList')),
  )
}

function rootPath(path: string, get: Operation): PathOperations {
  return { path, parameters: [], methods: { get } }
}

function simple(id: string, tag: string, response: string, types: readonly string[] = OBJECTS): Operation {
  return { id, tag, query: [], consumes: types, produces: types, responses: { 200: response } }
}

/** Every path of a resource and its subresources. */
export function resourcePaths(definition: ResourceDefinition): readonly PathOperations[] {
  return [
    ...collectionPaths(definition),
    ...itemPaths(definition),
    ...watchPaths(definition),
    ...servedSubresources(definition).flatMap((subresource) => subresourcePaths(definition, subresource)),
  ].filter(({ methods }) => Object.keys(methods).length > 0)
}

interface Context {
  readonly names: Names
  readonly base: string
  readonly collection: string
  readonly kind: GroupVersionKind
  /** `Namespaced`, inside operation ids. */
  readonly scoped: string
  readonly scopeParameters: readonly string[]
  readonly object: string
  readonly list: string
  /** What custom and built-in resources do not have in common. */
  readonly media: Media
  can(verb: string): boolean
}

interface Media {
  readonly consumes: readonly string[]
  readonly produces: readonly string[]
  readonly streams: readonly string[]
  readonly patches: readonly string[]
  readonly patchCodes: readonly number[]
  /** Query parameters. */
  readonly reading: readonly string[]
  readonly deletingMany: readonly string[]
  readonly deletingManyTakesBody: boolean
}

const BUILT_IN_MEDIA: Media = {
  consumes: ANYTHING,
  produces: OBJECTS,
  streams: STREAMS,
  patches: PATCHES,
  patchCodes: [200, 201],
  reading: [],
  deletingMany: DELETE_COLLECTION_QUERY,
  deletingManyTakesBody: true,
}

const CUSTOM_MEDIA: Media = {
  consumes: CUSTOM,
  produces: CUSTOM,
  streams: CUSTOM,
  patches: CUSTOM_PATCHES,
  patchCodes: [200],
  reading: ['resourceVersion'],
  deletingMany: LIST_QUERY,
  deletingManyTakesBody: false,
}

function isCustom({ schemaStamp }: ResourceDefinition): boolean {
  return schemaStamp !== undefined
}

function contextOf(definition: ResourceDefinition): Context {
  const { group, version, kind, listKind, resource, scope, verbs } = definition
  const namespaced = scope === 'Namespaced'
  const base = basePath(definition)
  return {
    names: namesOf(definition),
    base,
    collection: `${base}/${namespaced ? 'namespaces/{namespace}/' : ''}${resource}`,
    kind: { group, kind, version },
    scoped: namespaced ? 'Namespaced' : '',
    scopeParameters: namespaced ? ['namespace'] : [],
    object: nameOfKind({ group, version, kind }),
    list: nameOfKind({ group, version, kind: listKind }),
    media: isCustom(definition) ? CUSTOM_MEDIA : BUILT_IN_MEDIA,
    can: (verb) => (verbs as readonly string[]).includes(verb),
  }
}

function nameOfKind(kind: GroupVersionKind): string {
  const builtIn = definitionOfKind(kind)
  return builtIn === undefined ? customName(kind) : fullName(builtIn)
}

function collectionPaths(definition: ResourceDefinition): readonly PathOperations[] {
  const { names, base, collection, kind, scoped, scopeParameters, object, list, media, can } = contextOf(definition)
  const common = { tag: names.tag, kind, consumes: media.consumes }
  const listing = (id: string): Operation => ({
    ...common,
    id,
    action: 'list',
    query: LIST_QUERY,
    produces: media.streams,
    responses: { 200: list },
  })
  const methods: PathOperations['methods'] = {
    ...(can('list') && { get: listing(`list${names.id}${scoped}${kind.kind}`) }),
    ...(can('create') && {
      post: { ...common, ...writing(media, `create${names.id}${scoped}${kind.kind}`, 'post', object, [200, 201, 202]) },
    }),
    ...(can('deletecollection') && {
      delete: {
        ...common,
        id: `delete${names.id}Collection${scoped}${kind.kind}`,
        action: 'deletecollection',
        query: media.deletingMany,
        ...(media.deletingManyTakesBody && { body: { definition: DELETE_OPTIONS, required: false } }),
        produces: media.produces,
        responses: { 200: STATUS },
      },
    }),
  }
  const everywhere = {
    path: `${base}/${definition.resource}`,
    parameters: ['pretty'],
    methods: { get: listing(`list${names.id}${kind.kind}ForAllNamespaces`) },
  }
  const own = { path: collection, parameters: [...scopeParameters, 'pretty'], methods }
  return scoped !== '' && can('list') ? [own, everywhere] : [own]
}

type Writing = Pick<Operation, 'id' | 'action' | 'query' | 'body' | 'produces' | 'responses'>

function writing(
  { produces }: Media,
  id: string,
  action: string,
  definition: string,
  codes: readonly number[],
): Writing {
  return {
    id,
    action,
    query: WRITE_QUERY,
    body: { definition, required: true },
    produces,
    responses: Object.fromEntries(codes.map((code) => [code, definition])),
  }
}

function patching(media: Media, id: string, definition: string): Writing & Pick<Operation, 'consumes'> {
  return {
    ...writing(media, id, 'patch', definition, media.patchCodes),
    query: [...WRITE_QUERY, 'force'],
    body: { definition: PATCH, required: true },
    consumes: media.patches,
  }
}

function itemPaths(definition: ResourceDefinition): readonly PathOperations[] {
  const { names, collection, kind, scoped, scopeParameters, object, media, can } = contextOf(definition)
  const { consumes, produces, reading } = media
  const common = { tag: names.tag, kind, consumes }
  const id = (verb: string): string => `${verb}${names.id}${scoped}${kind.kind}`
  const deleted = definition.deletion.returns === 'object' ? object : STATUS
  const methods: PathOperations['methods'] = {
    ...(can('get') && {
      get: { ...common, id: id('read'), action: 'get', query: reading, produces, responses: { 200: object } },
    }),
    ...(can('update') && { put: { ...common, ...writing(media, id('replace'), 'put', object, [200, 201]) } }),
    ...(can('patch') && { patch: { ...common, ...patching(media, id('patch'), object) } }),
    ...(can('delete') && {
      delete: {
        ...common,
        id: id('delete'),
        action: 'delete',
        query: DELETE_QUERY,
        body: { definition: DELETE_OPTIONS, required: false },
        produces,
        responses: { 200: deleted, 202: deleted },
      },
    }),
  }
  return [{ path: `${collection}/{name}`, parameters: [`name:${kind.kind}`, ...scopeParameters, 'pretty'], methods }]
}

/** The deprecated way to watch. */
function watchPaths(definition: ResourceDefinition): readonly PathOperations[] {
  const { names, base, kind, scoped, scopeParameters, can } = contextOf(definition)
  if (!can('watch') || isCustom(definition)) return []
  const watching = (id: string, action: string): PathOperations['methods'] => ({
    get: {
      id,
      tag: names.tag,
      action,
      kind,
      query: LIST_QUERY,
      consumes: ANYTHING,
      produces: STREAMS,
      responses: { 200: WATCH_EVENT },
    },
  })
  const collection = `${base}/watch/${scoped === '' ? '' : 'namespaces/{namespace}/'}${definition.resource}`
  const own = {
    path: collection,
    parameters: [...scopeParameters, 'pretty'],
    methods: watching(`watch${names.id}${scoped}${kind.kind}List`, 'watchlist'),
  }
  const item = {
    path: `${collection}/{name}`,
    parameters: [`name:${kind.kind}`, ...scopeParameters, 'pretty'],
    methods: watching(`watch${names.id}${scoped}${kind.kind}`, 'watch'),
  }
  const everywhere = {
    path: `${base}/watch/${definition.resource}`,
    parameters: ['pretty'],
    methods: watching(`watch${names.id}${kind.kind}ListForAllNamespaces`, 'watchlist'),
  }
  return scoped === '' ? [own, item] : [own, item, everywhere]
}

function subresourcePaths(definition: ResourceDefinition, served: ServedSubresource): readonly PathOperations[] {
  const context = contextOf(definition)
  const path = `${context.collection}/{name}/${served.name}`
  if (served.name === 'log') return [logPath(context, path)]
  if (connectOptions[served.kind] !== undefined) return connectPaths(context, path, served)
  const { names, scoped, scopeParameters, kind, media } = context
  const { produces, reading } = media
  const object = nameOfKind(served)
  const shown = isCustom(definition) ? kind : { group: served.group, kind: served.kind, version: served.version }
  const id = (verb: string): string => `${verb}${names.id}${scoped}${kind.kind}${upperFirst(served.name)}`
  const common = { tag: names.tag, kind: shown, consumes: media.consumes }
  const can = (verb: string): boolean => served.verbs.includes(verb)
  const methods: PathOperations['methods'] = {
    ...(can('create') && { post: { ...common, ...writing(media, id('create'), 'post', object, [200, 201, 202]) } }),
    ...(can('get') && {
      get: { ...common, id: id('read'), action: 'get', query: reading, produces, responses: { 200: object } },
    }),
    ...(can('update') && { put: { ...common, ...writing(media, id('replace'), 'put', object, [200, 201]) } }),
    ...(can('patch') && { patch: { ...common, ...patching(media, id('patch'), object) } }),
  }
  return [{ path, parameters: [`name:${served.kind}`, ...scopeParameters, 'pretty'], methods }]
}

function logPath({ names, scoped, scopeParameters, kind }: Context, path: string): PathOperations {
  const get: Operation = {
    id: `read${names.id}${scoped}${kind.kind}Log`,
    tag: names.tag,
    action: 'get',
    kind,
    query: connectOptions.PodLogOptions ?? [],
    options: 'PodLogOptions',
    consumes: ANYTHING,
    produces: ['text/plain', ...OBJECTS],
    responses: { 200: 'string' },
  }
  return { path, parameters: [`name:${kind.kind}`, ...scopeParameters, 'pretty'], methods: { get } }
}

const CONNECT_METHODS: Readonly<Record<string, Method>> = {
  get: 'get',
  create: 'post',
  update: 'put',
  patch: 'patch',
  delete: 'delete',
}

/** Subresources that open a connection have one operation per method; a proxy also takes a path. */
function connectPaths(context: Context, path: string, served: ServedSubresource): readonly PathOperations[] {
  const { names, scoped, scopeParameters, kind } = context
  const { group, version } = served
  const proxy = served.name === 'proxy'
  const verbs = served.verbs.flatMap((verb) => CONNECT_METHODS[verb] ?? [])
  const methods: readonly Method[] = proxy ? [...verbs, 'head', 'options'] : verbs
  return (proxy ? ['', '/{path}'] : ['']).map((suffix) => ({
    path: `${path}${suffix}`,
    parameters: [`name:${served.kind}`, ...scopeParameters, ...(suffix === '' ? [] : ['path@'])],
    methods: Object.fromEntries(
      methods.map((method) => [
        method,
        {
          id: `connect${names.id}${upperFirst(method)}${scoped}${kind.kind}${upperFirst(served.name)}${suffix === '' ? '' : 'WithPath'}`,
          tag: names.tag,
          action: 'connect',
          kind: { group, kind: served.kind, version },
          query: connectOptions[served.kind] ?? [],
          options: served.kind,
          consumes: ANYTHING,
          produces: ANYTHING,
          responses: { 200: 'string' },
        },
      ]),
    ),
  }))
}

export function basePath(groupVersion: GroupVersion): string {
  return `${groupVersion.group === '' ? '/api' : '/apis'}/${apiVersionOf(groupVersion)}`
}

function namesOf({ group, version }: GroupVersion): Names {
  const name = identifier(group === '' ? 'core' : shortGroup(group))
  return { id: `${name}${upperFirst(version)}`, tag: `${lowerFirst(name)}_${version}` }
}

function shortGroup(group: string): string {
  return group.replace(/\.k8s\.io$/, '')
}

/** `rbac.authorization` → `RbacAuthorization`. */
function identifier(text: string): string {
  return text.split(/\W+/).map(upperFirst).join('')
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
