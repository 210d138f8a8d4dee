/**
 * What a client sees and writes at one path of an object. The main resource and most subresources show the object
 * itself; `scale` shows a Scale made of it.
 */

import type { Column } from '../../apis/definition.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import type { Schema } from '../../machinery/schema/schema.ts'
import type { Stored } from '../registry/codec.ts'
import type { Endpoint } from '../registry/endpoint.ts'

export interface ViewKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly schema: Schema
}

export interface View<T extends KubeObject> {
  /** The kind that clients get and send. */
  readonly kind: ViewKind
  readonly endpoint: Endpoint<T>
  /** Whether the object itself is shown, with its columns and its managedFields. */
  readonly whole: boolean
  /** Of tables of what is shown, where that is another kind than the object's. */
  readonly columns?: readonly Column[] | undefined
  /** What is answered. */
  show(stored: Stored<T>): Shown
  /** What a client is taken to have read, for patches. */
  read(object: T): KubeObject
  /** What a client sent, as an object of the resource. `live` is undefined when the object is created. */
  written(sent: KubeObject, live: T | undefined): T
}

/** An object with its bytes. */
export interface Shown {
  readonly bytes: Uint8Array
  object(): KubeObject
  /** The object, where somebody has it: nothing is parsed for it. */
  parsed?(): KubeObject | undefined
}

/** Shows the object itself. */
export function wholeView<T extends KubeObject>(kind: ViewKind, endpoint: Endpoint<T>): View<T> {
  return {
    kind,
    endpoint,
    whole: true,
    show: (stored) => stored,
    read: (object) => object,
    // The sender's object has been checked against the schema of this resource.
    written: (sent) => sent as T,
  }
}
