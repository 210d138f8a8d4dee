/** Answers that are lists. Of most forms every item has its bytes already, and the list is these one after the other. */

import type { ResourceDefinition } from '../../../apis/definition.ts'
import { PROTOBUF_TYPE } from '../../../apis/protobuf-forms.ts'
import { deepFreeze } from '../../../base/deep-freeze.ts'
import { apiVersionOf } from '../../../machinery/meta/group-version.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { ApiResponse } from '../../../machinery/wire/message.ts'
import { itemOffset } from '../../registry/codec.ts'
import type { Listed } from '../../registry/list.ts'
import type { Exchange } from '../exchange.ts'
import { type Accepted, negotiate } from '../negotiate.ts'
import { expectList, partialMetadataList } from '../partial-metadata.ts'
import { messageOf, protobufList } from '../protobuf-answers.ts'
import { bodyResponse, encodedResponse, inProcessLater, tableOptions } from '../respond.ts'
import { tableOf } from '../table.ts'
import type { Shown } from '../view.ts'
import { type EncodedBody, type ListForm, listBody } from './list-body.ts'
import { metadataList, metadataOf } from './metadata-lists.ts'
import { tableList } from './table-list.ts'

export function listResponse<T extends KubeObject>(
  exchange: Exchange<T>,
  listed: Listed<T>,
): Promise<ApiResponse> | ApiResponse {
  const { request, registry } = exchange
  const { definition } = registry
  const { metadata, items } = listed
  if (request.wants === 'object') {
    return inProcessLater(request, 200, () =>
      deepFreeze({ ...namesOf(definition), metadata, items: itemsInProcess(exchange, items) }),
    )
  }
  const accepted = negotiate(request, { protobuf: messageOf(definition) !== undefined })
  expectList(accepted, definition)
  const { whole, json } = formsOf(exchange, listed, accepted)
  if (accepted.as === 'none' && accepted.format === 'protobuf') {
    request.audit?.answers(whole)
    return bodyResponse(request, 200, protobufList(definition, metadata, items), PROTOBUF_TYPE)
  }
  if (accepted.format !== 'json' || accepted.pretty) return encodedResponse(request, 200, whole(), accepted)
  request.audit?.answers(whole)
  return bodyResponse(request, 200, json(), 'application/json')
}

/** Who asks for metadata gets no more: whole objects would be parsed for it, and take the place of those in use. */
function itemsInProcess<T extends KubeObject>({ request, registry }: Exchange<T>, items: Listed<T>['items']): object[] {
  const { definition } = registry
  if (request.headers.accept === undefined || negotiate(request).as !== 'metadataList')
    return items.map((item) => item.object())
  const names = { apiVersion: apiVersionOf(definition), kind: definition.kind }
  const offset = itemOffset(definition)
  return items.map((item) => ({ ...names, metadata: metadataOf(item, offset) }))
}

/** The list as it is wanted: for other encodings, readers and the audit log, and as the bytes that most clients get. */
interface Forms {
  readonly whole: () => object
  readonly json: () => EncodedBody
}

function formsOf<T extends KubeObject>(exchange: Exchange<T>, listed: Listed<T>, accepted: Accepted): Forms {
  const { definition } = exchange.registry
  const { metadata, items } = listed
  const { metaVersion } = accepted
  const objects = () => items.map((item) => item.object())
  const offset = itemOffset(definition)
  if (accepted.as === 'table') {
    const options = tableOptions(exchange, accepted)
    return {
      whole: () => tableOf(definition, objects(), metadata, options),
      json: () => tableList(definition, items, metadata, { ...options, offset }),
    }
  }
  if (accepted.as === 'metadataList')
    return {
      whole: () => partialMetadataList(objects(), metadata, metaVersion),
      json: () => metadataList(items, metadata, { metaVersion, offset }),
    }
  const list = { ...namesOf(definition), metadata }
  return {
    whole: () => ({ ...list, items: objects().map(nameless) }),
    json: () => listBody(items, jsonForm(list, offset)),
  }
}

function namesOf<T extends KubeObject>(definition: ResourceDefinition<T>) {
  return { kind: definition.listKind, apiVersion: apiVersionOf(definition) }
}

/** An item of a list, which says for all of them what they are. */
function nameless({ kind: _kind, apiVersion: _apiVersion, ...item }: KubeObject): object {
  return item
}

/** `list`: the list without its items. Items are their objects from `offset` on, without kind and apiVersion. */
function jsonForm(list: object, offset: number): ListForm<Shown> {
  return {
    head: Buffer.from(`${JSON.stringify(list).slice(0, -1)},"items":[`),
    separator: COMMA,
    tail: END,
    lengthOf: ({ bytes }) => bytes.length - offset + 1,
    write({ bytes }, target, at) {
      target[at] = OPENING_BRACE
      target.set(bytes.subarray(offset), at + 1)
    },
  }
}

const COMMA = Buffer.from(',')
const END = Buffer.from(']}')
const OPENING_BRACE = '{'.charCodeAt(0)
