/**
 * Sets of field paths, as values. A set is its own fieldsV1 form, so nothing is encoded or decoded:
 *
 *     { "f:spec": { "f:ports": { ".": {}, 'k:{"port":80}': { ".": {}, "f:port": {} } }, "f:type": {} } }
 *
 * A key is a path element: `f:` a field, `k:` a list item by keys, `v:` a set item by value, `i:` one by
 * index. A node that is empty, or has `.`, is itself in the set; the others only lead to deeper ones.
 * Sets are immutable and share their parts.
 */

import { byCodeUnit } from '../../base/group-by.ts'
import { isRecord } from '../../base/is-record.ts'

export interface FieldSet {
  readonly [element: string]: FieldSet
}

/** From the root down. */
export type FieldPathElements = readonly string[]

interface MutableSet {
  [element: string]: MutableSet
}

/** Never changed: whoever puts something below it makes a new node. */
const EMPTY: MutableSet = {}

export const emptyFieldSet: FieldSet = EMPTY

/** Levels of nesting that are taken from a client. Objects of the API stay below 50. */
const FIELDS_DEPTH_MAX = 200

export const fieldElement = (name: string): string => `f:${name}`

export function isEmptySet(set: FieldSet): boolean {
  for (const _key in set) return false
  return true
}

/** True for a node (not a root) that is itself in the set. */
function isMember(node: FieldSet): boolean {
  return isEmptySet(node) || node['.'] !== undefined
}

/** The set of a client's or store's fieldsV1; undefined when it is malformed. */
export function parseFieldSet(fields: unknown): FieldSet | undefined {
  return isFieldSet(fields) ? fields : undefined
}

/** Those that were looked at and cannot change: objects of one shape share the set of who created them. */
const wellFormed = new WeakSet<object>()

function isFieldSet(fields: unknown): fields is FieldSet {
  if (!isRecord(fields)) return false
  if (wellFormed.has(fields)) return true
  const holds = isWellFormed(fields, 0)
  // Frozen all the way down, as everything that is stored.
  if (holds && Object.isFrozen(fields)) wellFormed.add(fields)
  return holds
}

function isWellFormed(node: unknown, depth: number): node is FieldSet {
  if (!isRecord(node) || depth > FIELDS_DEPTH_MAX) return false
  for (const key of Object.keys(node)) {
    if (!isElement(key) || !isWellFormed(node[key], depth + 1)) return false
  }
  return true
}

function isElement(key: string): boolean {
  return key === '.' || (key.charAt(1) === ':' && ELEMENT_KINDS.includes(key.charAt(0)))
}

/** Builds a set path by path. */
export class FieldSetBuilder {
  readonly #root: MutableSet = {}

  /** The root itself is never a member. */
  insert(path: FieldPathElements): void {
    let node = this.#root
    const last = path.length - 1
    for (const [index, element] of path.entries()) {
      const known = node[element]
      if (index < last) {
        const next = known === undefined ? {} : known === EMPTY ? { '.': EMPTY } : known
        node[element] = next
        node = next
      } else if (known === undefined) node[element] = EMPTY
      else if (known !== EMPTY) known['.'] = EMPTY
    }
  }

  build(): FieldSet {
    return inOrder(this.#root)
  }
}

function inOrder(node: FieldSet): FieldSet {
  if (node === EMPTY) return node
  return nodeOf(
    node['.'] !== undefined,
    childrenOf(node).map(([key, child]) => [key, inOrder(child)] as const),
  )
}

type Child = readonly [key: string, node: FieldSet]

/** A node, its children in fieldsV1's order. A member without children is `{}`. */
function nodeOf(member: boolean, children: readonly Child[]): FieldSet {
  if (children.length === 0) return emptyFieldSet
  const node: MutableSet = member ? { '.': EMPTY } : {}
  // A set is as immutable as its parts: none of them is changed through this node.
  for (const [key, child] of sorted(children)) node[key] = child as MutableSet
  return node
}

function sorted(children: readonly Child[]): readonly Child[] {
  const isSorted = children.every(([key], index) => {
    const before = children[index - 1]
    return before === undefined || compareElements(before[0], key) < 0
  })
  return isSorted ? children : children.toSorted(([left], [right]) => compareElements(left, right))
}

/** `until`: those before that key only. */
function childrenOf(node: FieldSet, until?: string): Child[] {
  const children: Child[] = []
  for (const key in node) {
    if (key === until) break
    const child = node[key]
    if (key !== '.' && child !== undefined) children.push([key, child])
  }
  return children
}

/** `left` itself where `right` adds nothing to it. */
export function union(left: FieldSet, right: FieldSet): FieldSet {
  if (isEmptySet(right)) return left
  return isEmptySet(left) ? right : unionNode(left, right, false)
}

function unionNode(left: FieldSet, right: FieldSet, member: boolean): FieldSet {
  if (left === right) return left
  let children: Map<string, FieldSet> | undefined
  for (const key in right) {
    const child = right[key]
    if (key === '.' || child === undefined) continue
    const other = left[key]
    const both = other === undefined ? child : unionNode(other, child, isMember(other) || isMember(child))
    if (both === other) continue
    children ??= new Map(childrenOf(left))
    children.set(key, both)
  }
  if (children === undefined && member === isMember(left)) return left
  return nodeOf(member, children === undefined ? childrenOf(left) : [...children])
}

export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  return intersectionNode(left, right, false) ?? emptyFieldSet
}

function intersectionNode(left: FieldSet, right: FieldSet, member: boolean): FieldSet | undefined {
  const children: Child[] = []
  for (const key in left) {
    const child = left[key]
    const other = right[key]
    if (key === '.' || child === undefined || other === undefined) continue
    const shared = intersectionNode(child, other, isMember(child) && isMember(other))
    if (shared !== undefined) children.push([key, shared])
  }
  return member || children.length > 0 ? nodeOf(member, children) : undefined
}

/** The members of `left` that are not in `right`. Members below a removed one stay. */
export function difference(left: FieldSet, right: FieldSet): FieldSet {
  if (isEmptySet(right)) return left
  return differenceNode(left, right, false, false) ?? emptyFieldSet
}

/** As `difference`, and with a member of `right` goes everything below it. */
export function recursiveDifference(left: FieldSet, right: FieldSet): FieldSet {
  if (isEmptySet(right)) return left
  return differenceNode(left, right, false, true) ?? emptyFieldSet
}

function differenceNode(left: FieldSet, right: FieldSet, member: boolean, deep: boolean): FieldSet | undefined {
  /** Of what is left, from the first difference on. */
  let children: Child[] | undefined
  let isBare = true
  for (const key in left) {
    const child = left[key]
    if (key === '.' || child === undefined) continue
    const other = right[key]
    const gone = other !== undefined && isMember(other)
    const below =
      other === undefined
        ? child
        : deep && gone
          ? undefined
          : differenceNode(child, other, isMember(child) && !gone, deep)
    if (below !== child) children ??= childrenOf(left, key)
    if (below === undefined) continue
    isBare = false
    children?.push([key, below])
  }
  if (!member && isBare) return undefined
  if (children === undefined && member === isMember(left)) return left
  return nodeOf(member, children ?? childrenOf(left))
}

export function hasPath(set: FieldSet, path: FieldPathElements): boolean {
  let node: FieldSet | undefined = set
  for (const element of path) node = node?.[element]
  return path.length > 0 && node !== undefined && isMember(node)
}

/** What lies below an element: a set whose root is that element. */
export function withPrefix(set: FieldSet, element: string): FieldSet {
  const node = set[element]
  return node === undefined || node['.'] === undefined ? (node ?? emptyFieldSet) : nodeOf(false, childrenOf(node))
}

/** All members, each node's own before those further below: the order in which conflicts are told. */
export function membersOf(set: FieldSet): FieldPathElements[] {
  const paths: FieldPathElements[] = []
  const visit = (node: FieldSet, path: FieldPathElements): void => {
    const children = childrenOf(node)
    for (const [key, child] of children) if (isMember(child)) paths.push([...path, key])
    for (const [key, child] of children) visit(child, [...path, key])
  }
  visit(set, [])
  return paths
}

/** The members that have nothing below them. */
export function leavesOf(set: FieldSet): FieldSet {
  return nodeOf(
    false,
    childrenOf(set).map(([key, child]) => [key, isEmptySet(child) ? child : leavesOf(child)] as const),
  )
}

/** What a walk along a set finds at an element: whether to make it a member, and how to go on below it. */
export type Descend = (element: string) => { readonly member: boolean; readonly below: Descend }

/** The set with more members: those of its inner nodes that `descend` picks. */
export function withMembers(set: FieldSet, descend: Descend): FieldSet {
  const visit = (node: FieldSet, member: boolean, step: Descend): FieldSet =>
    nodeOf(
      member,
      childrenOf(node).map(([key, child]) => {
        const found = step(key)
        return [key, visit(child, isMember(child) || found.member, found.below)] as const
      }),
    )
  return visit(set, false, descend)
}

/** `.spec.containers[name="web"].ports[containerPort=80,protocol="TCP"]`: how messages print a path. */
export function pathText(path: FieldPathElements): string {
  return path.map(elementText).join('')
}

function elementText(element: string): string {
  const body = element.slice(2)
  if (element.startsWith('f:')) return `.${body}`
  if (element.startsWith('v:')) return `[=${body}]`
  if (element.startsWith('i:')) return `[${body}]`
  const keys = Object.entries(keysOf(body)).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  return `[${keys.join(',')}]`
}

function keysOf(body: string): object {
  try {
    const keys: unknown = JSON.parse(body)
    return typeof keys === 'object' && keys !== null ? keys : {}
  } catch {
    return {}
  }
}

const ELEMENT_KINDS = 'fkvi'

/** Fields, then keys, values and indices; numbers by size. */
function compareElements(left: string, right: string): number {
  const kind = ELEMENT_KINDS.indexOf(left.charAt(0)) - ELEMENT_KINDS.indexOf(right.charAt(0))
  if (kind !== 0) return kind
  if (left.startsWith('k:')) return compareKeys(keysOf(left.slice(2)), keysOf(right.slice(2)))
  if (left.startsWith('f:')) return byCodeUnit(left, right)
  const order = Number(left.slice(2)) - Number(right.slice(2))
  return Number.isNaN(order) || order === 0 ? byCodeUnit(left, right) : order
}

function compareKeys(left: object, right: object): number {
  const others = Object.entries(right)
  for (const [index, [name, value]] of Object.entries(left).entries()) {
    const [otherName = '', otherValue] = others[index] ?? []
    if (name !== otherName) return byCodeUnit(name, otherName)
    if (value === otherValue) continue
    if (typeof value === 'number' && typeof otherValue === 'number') return value - otherValue
    return byCodeUnit(String(value), String(otherValue))
  }
  return 0
}
