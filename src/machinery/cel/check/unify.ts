/**
 * Whether a value of one type may stand where another type is wanted, and what that says about type parameters.
 * A failed attempt leaves no trace.
 */

import { type CelType, DYN, sameType } from '../types.ts'

export function isDynamic(type: CelType): boolean {
  return type.kind === 'dyn' || type.kind === 'any'
}

function isDynamicOrError(type: CelType): boolean {
  return isDynamic(type) || type.kind === 'error'
}

/** What type parameters stand for, as far as is known. */
export class Substitutions {
  private readonly known = new Map<string, CelType>()
  /** What to put back when an attempt fails. */
  private journal: { readonly name: string; readonly before: CelType | undefined }[] = []

  /** Whether a value of type `from` fits `to`; parameters learn from it. */
  assign(from: CelType, to: CelType): boolean {
    return this.attempt(() => this.fits(from, to))
  }

  assignAll(from: readonly CelType[], to: readonly CelType[]): boolean {
    return this.attempt(() => this.fitAll(from, to))
  }

  /** The type with known parameters replaced; `open` replaces the others. */
  resolve(type: CelType, open?: CelType): CelType {
    switch (type.kind) {
      case 'parameter': {
        const known = this.known.get(type.name)
        return known === undefined ? (open ?? type) : this.resolve(known, open)
      }
      case 'list':
      case 'map':
      case 'opaque':
      case 'type':
        return isGround(type) ? type : rebuilt(type, (part) => this.resolve(part, open))
      default:
        return type
    }
  }

  private attempt(fits: () => boolean): boolean {
    this.journal = []
    if (fits()) return true
    for (const { name, before } of this.journal.reverse()) {
      if (before === undefined) this.known.delete(name)
      else this.known.set(name, before)
    }
    return false
  }

  private learn(name: string, type: CelType): void {
    this.journal.push({ name, before: this.known.get(name) })
    this.known.set(name, type)
  }

  private fitAll(from: readonly CelType[], to: readonly CelType[]): boolean {
    return from.length === to.length && from.every((type, index) => this.fits(type, to[index] ?? DYN))
  }

  private fits(from: CelType, to: CelType): boolean {
    if (from === to) return true
    if (to.kind === 'parameter') {
      const verdict = this.stands(from, to)
      if (verdict === 'yes') return true
      if (verdict === 'conflict') return false
    }
    if (from.kind === 'parameter') return this.stands(to, from) === 'yes'
    if (isDynamicOrError(from) || isDynamicOrError(to)) return true
    if (from.kind === 'null_type') return isNullable(to)
    if (to.kind === 'null_type') return isNullable(from)
    return this.fitsStructure(from, to)
  }

  private fitsStructure(from: CelType, to: CelType): boolean {
    if (from.kind === 'list') return to.kind === 'list' && this.fits(from.element, to.element)
    if (from.kind === 'map') {
      return to.kind === 'map' && this.fits(from.key, to.key) && this.fits(from.value, to.value)
    }
    if (from.kind === 'opaque') {
      return to.kind === 'opaque' && from.name === to.name && this.fitAll(from.parameters, to.parameters)
    }
    if (from.kind === 'type') return to.kind === 'type'
    if (from.kind === 'object') return to.kind === 'object' && from.name === to.name
    return unwrapped(from).kind === unwrapped(to).kind
  }

  /** Whether `type` may be what the parameter stands for: yes, no, or it stands for something else already. */
  private stands(type: CelType, parameter: CelType & { readonly kind: 'parameter' }): 'yes' | 'no' | 'conflict' {
    if (type.kind === 'parameter' && type.name === parameter.name) return 'yes'
    const known = this.known.get(parameter.name)
    if (known === undefined) {
      if (this.occurs(parameter.name, type)) return 'no'
      this.learn(parameter.name, type)
      return 'yes'
    }
    if (known.kind === type.kind && sameType(known, type)) return 'yes'
    if (!this.fits(type, known)) return 'conflict'
    const general = isAtLeastAsGeneral(type, known) ? type : known
    if (!this.occurs(parameter.name, general)) this.learn(parameter.name, general)
    return 'yes'
  }

  private occurs(name: string, within: CelType): boolean {
    if (within.kind === 'parameter') {
      if (within.name === name) return true
      const known = this.known.get(within.name)
      return known !== undefined && this.occurs(name, known)
    }
    return !isGround(within) && partsOf(within).some((part) => this.occurs(name, part))
  }
}

/** The more general of two types that fit each other. */
export function moreGeneral(left: CelType, right: CelType): CelType {
  if (right.kind === 'null_type') return left
  return isAtLeastAsGeneral(left, right) ? left : right
}

function isAtLeastAsGeneral(left: CelType, right: CelType): boolean {
  if (isDynamic(left) || left.kind === 'parameter') return true
  if (isDynamic(right) || right.kind === 'parameter') return false
  if (left.kind === 'opaque' || left.kind === 'list' || left.kind === 'map') {
    if (left.kind !== right.kind) return false
    if (left.kind === 'opaque' && right.kind === 'opaque' && left.name !== right.name) return false
    const parts = partsOf(right)
    return (
      partsOf(left).length === parts.length &&
      partsOf(left).every((part, index) => isAtLeastAsGeneral(part, parts[index] ?? DYN))
    )
  }
  if (left.kind === 'type') return right.kind === 'type'
  return sameType(left, right)
}

function isNullable(type: CelType): boolean {
  return ['opaque', 'object', 'any', 'duration', 'timestamp', 'wrapper', 'null_type'].includes(type.kind)
}

function unwrapped(type: CelType): CelType {
  return type.kind === 'wrapper' ? type.of : type
}

function partsOf(type: CelType): readonly CelType[] {
  switch (type.kind) {
    case 'list':
      return [type.element]
    case 'map':
      return [type.key, type.value]
    case 'opaque':
      return type.parameters
    case 'type':
      return type.of === undefined ? [] : [type.of]
    default:
      return []
  }
}

function rebuilt(type: CelType, change: (part: CelType) => CelType): CelType {
  switch (type.kind) {
    case 'list':
      return { ...type, element: change(type.element) }
    case 'map':
      return { ...type, key: change(type.key), value: change(type.value) }
    case 'opaque':
      return { ...type, parameters: type.parameters.map(change) }
    case 'type':
      return type.of === undefined ? type : { kind: 'type', of: change(type.of) }
    default:
      return type
  }
}

const grounds = new WeakMap<CelType, boolean>()

/** Whether no type parameter occurs in the type. */
function isGround(type: CelType): boolean {
  if (type.kind === 'parameter') return false
  const parts = partsOf(type)
  if (parts.length === 0) return true
  const known = grounds.get(type)
  if (known !== undefined) return known
  const ground = parts.every(isGround)
  grounds.set(type, ground)
  return ground
}

const weights = new WeakMap<CelType, number>()

/** How many types a type is made of. */
export function weightOf(type: CelType): number {
  const parts = partsOf(type)
  if (parts.length === 0) return 1
  const known = weights.get(type)
  if (known !== undefined) return known
  const weight = parts.reduce((sum, part) => sum + weightOf(part), 1)
  weights.set(type, weight)
  return weight
}
