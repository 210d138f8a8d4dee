/** Answers that are lists. Of most forms every item has its bytes already, and the list is these one after the other. */

import { PROTOBUF_TYPE } from '../../../apis/protobuf-forms.ts'
import { deepFreeze } from '../../../base/deep-freeze.ts'
import { apiVersionOf } from '../../../machinery/meta/group-version.ts'
import type { KubeObject, ListMeta } from '../../../machinery/meta/object.ts'
import type { ApiResponse } from '../../../machinery/wire/message.ts'
import { itemOffset } from '../../registry/codec.ts'
import type { Listed } from '../../registry/list.ts'
import type { Exchange } from '../exchange.ts'
import { negotiate } from '../negotiate.ts'
import { expectList, partialMetadataList } from '../partial-metadata.ts'
import { messageOf, protobufList } from '../protobuf-answers.ts'
import { bodyResponse, encodedResponse, inProcess, tableOptions } from '../respond.ts'
import { tableOf } from '../table.ts'
import type { Shown } from '../view.ts'
import { type ListForm, listBody } from './list-body.ts'

export function listResponse<T extends KubeObject>(
  exchange: Exchange<T>,
  { metadata, items }: Listed<T>,
): Promise<ApiResponse> | ApiResponse {
  const { request, registry } = exchange
  const { definition } = registry
  const names = { kind: definition.listKind, apiVersion: apiVersionOf(definition) }
  const objects = () => items.map((item) => item.object())
  if (request.wants === 'object') return inProcess(request, 200, deepFreeze({ ...names, metadata, items: objects() }))
  const accepted = negotiate(request, { protobuf: messageOf(definition) !== undefined })
  expectList(accepted, definition)
  const encoded = (object: object) => encodedResponse(request, 200, object, accepted)
  if (accepted.as === 'table')
    return encoded(tableOf(definition, objects(), metadata, tableOptions(exchange, accepted)))
  if (accepted.as === 'metadataList') return encoded(partialMetadataList(objects(), metadata, accepted.metaVersion))
  const whole = () => ({ ...names, metadata, items: objects().map(nameless) })
  request.audit?.answers(whole)
  if (accepted.format === 'protobuf') {
    const bytes = protobufList(definition, metadata, items)
    return bodyResponse(request, 200, { type: 'bytes', bytes }, PROTOBUF_TYPE)
  }
  if (accepted.format === 'yaml' || accepted.pretty) return encoded(whole())
  const body = listBody(items, jsonForm({ ...names, metadata }, itemOffset(definition)))
  return bodyResponse(request, 200, body, 'application/json')
}

/** An item of a list, which says for all of them what they are. */
function nameless({ kind: _kind, apiVersion: _apiVersion, ...item }: KubeObject): object {
  return item
}

/** `list`: the list without its items. Items are their objects from `offset` on, without kind and apiVersion. */
function jsonForm(
  list: { readonly kind: string; readonly apiVersion: string; readonly metadata: ListMeta },
  offset: number,
): ListForm<Shown> {
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
