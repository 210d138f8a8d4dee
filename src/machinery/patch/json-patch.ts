/**
 * JSON patch (RFC 6902) as the API server takes it: negative indices count from the end, `replace` of an
 * absent member sets it, `test` of an absent member succeeds against null. A patch that does not apply
 * answers 422 without details, as upstream does; a malformed one 400.
 */

import { deepEqual } from '../../base/deep-equal.ts'
import { deepClone, setOwn, shallowCopy } from '../../base/deep-freeze.ts'
import { isRecord } from '../../base/is-record.ts'
import { badRequest, requestEntityTooLarge, unprocessable } from '../meta/api-error.ts'

/** Operations in one patch; more cost more than a request may. */
export const JSON_PATCH_OPERATIONS_MAX = 10_000
/** Characters of JSON that all `copy` operations of a patch may add: else 10,000 of them double a document to death. */
const COPIED_CHARACTERS_MAX = 3 * 1024 * 1024

type Container = Record<string, unknown> | unknown[]

interface Operation {
  readonly op: string
  readonly path: string
  readonly from: string | undefined
  readonly value: unknown
  readonly hasValue: boolean
}

/** The patched document, which shares what is not changed; the given one stays as it is. */
export function applyJsonPatch(document: unknown, operations: unknown): unknown {
  const decoded = decodeOperations(operations)
  const target = new PatchTarget(document)
  for (const operation of decoded) target.apply(operation)
  return target.root
}

function decodeOperations(operations: unknown): readonly Operation[] {
  if (!Array.isArray(operations))
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${jsonKind(operations)} into Go value of type jsonpatch.Patch`,
    )
  if (operations.length > JSON_PATCH_OPERATIONS_MAX) {
    const rule = `The allowed maximum operations in a JSON patch is ${JSON_PATCH_OPERATIONS_MAX}`
    throw requestEntityTooLarge(`${rule}, got ${operations.length}`)
  }
  return operations.map(decodeOperation)
}

function decodeOperation(operation: unknown): Operation {
  if (!isRecord(operation))
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${jsonKind(operation)} into Go value of type jsonpatch.Operation`,
    )
  const { op, path, from } = operation
  if (typeof op !== 'string' || typeof path !== 'string') throw unprocessable()
  if (from !== undefined && typeof from !== 'string') throw unprocessable()
  return { op, path, from, value: operation.value, hasValue: Object.hasOwn(operation, 'value') }
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  return value === null ? 'null' : typeof value
}

/** A document that operations change: what they change are copies of the containers on the way to it, made once. */
class PatchTarget {
  root: unknown
  readonly #copies = new Set<Container>()
  #copiedCharacters = 0

  constructor(root: unknown) {
    this.root = root
  }

  apply({ op, path, from, value, hasValue }: Operation): void {
    if (op === 'add') this.#add(path, hasValue ? deepClone(value) : null)
    else if (op === 'remove') this.#remove(path)
    else if (op === 'replace') this.#replace(path, hasValue ? deepClone(value) : null)
    else if (op === 'copy') this.#add(path, this.#copied(this.#get(sourceOf(from))))
    else if (op === 'move') this.#move(sourceOf(from), path)
    else if (op !== 'test' || !deepEqual(this.#get(path) ?? null, hasValue ? value : null)) throw unprocessable()
  }

  #move(from: string, path: string): void {
    const value = this.#get(from)
    this.#remove(from)
    this.#add(path, value)
  }

  #copied(value: unknown): unknown {
    this.#copiedCharacters += JSON.stringify(value ?? null).length
    if (this.#copiedCharacters > COPIED_CHARACTERS_MAX) throw unprocessable()
    return deepClone(value)
  }

  #get(path: string): unknown {
    if (path === '') return this.root
    const { container, key } = this.#place(path, 'read')
    if (!Array.isArray(container)) return member(container, key)
    return container[arrayIndex(key, container.length, container.length - 1)]
  }

  #add(path: string, value: unknown): void {
    const { container, key } = this.#place(path, 'change')
    if (!Array.isArray(container)) setOwn(container, key, value)
    else if (key === '-') container.push(value)
    else container.splice(arrayIndex(key, container.length + 1, container.length), 0, value)
  }

  #replace(path: string, value: unknown): void {
    if (path === '') {
      if (!isContainer(value)) throw unprocessable()
      this.root = value
      return
    }
    const { container, key } = this.#place(path, 'change')
    if (Array.isArray(container)) container[arrayIndex(key, container.length, container.length - 1)] = value
    else setOwn(container, key, value)
  }

  #remove(path: string): void {
    const { container, key } = this.#place(path, 'change')
    if (Array.isArray(container)) container.splice(arrayIndex(key, container.length, container.length - 1), 1)
    else if (Object.hasOwn(container, key)) delete container[key]
    else throw unprocessable()
  }

  /** The container a pointer's last part is in. Every part before it must exist. */
  #place(path: string, purpose: 'read' | 'change'): { readonly container: Container; readonly key: string } {
    const [first, ...parts] = path.split('/')
    const key = parts.pop()
    if (first === undefined || key === undefined) throw unprocessable()
    const entered = (value: unknown): Container => {
      if (!isContainer(value)) throw unprocessable()
      return purpose === 'change' ? this.#own(value) : value
    }
    let current = entered(this.root)
    this.root = current
    for (const part of parts) {
      const name = decodePart(part)
      if (Array.isArray(current)) {
        const index = arrayIndex(name, current.length, current.length - 1)
        const next = entered(current[index])
        if (next !== current[index]) current[index] = next
        current = next
      } else {
        const next = entered(member(current, name))
        if (next !== current[name]) setOwn(current, name, next)
        current = next
      }
    }
    return { container: current, key: decodePart(key) }
  }

  #own(container: Container): Container {
    if (this.#copies.has(container)) return container
    const copy = Array.isArray(container) ? [...container] : shallowCopy(container)
    this.#copies.add(copy)
    return copy
  }
}

function sourceOf(from: string | undefined): string {
  if (from === undefined) throw unprocessable()
  return from
}

function member(container: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(container, name) ? container[name] : undefined
}

/** `size` is what a negative index counts back from, `last` the largest index allowed. */
function arrayIndex(text: string, size: number, last: number): number {
  if (!/^[+-]?\d{1,10}$/.test(text)) throw unprocessable()
  const index = Number(text)
  const position = index < 0 ? index + size : index
  if (position < 0 || position > last) throw unprocessable()
  return position
}

function decodePart(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~')
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null
}
