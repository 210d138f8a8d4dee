/**
 * Gives every node of a tree its type, every name what it stands for and every call its overloads. Mistakes become
 * issues with cel-go's words; a node with one has the type `error`, so that it is told once.
 */

import type { FunctionDeclaration, ObjectDeclaration, Overload } from '../declarations.ts'
import type { Environment } from '../environment.ts'
import { typeOfValue } from '../library/type-of-value.ts'
import {
  type Call,
  type Comprehension,
  type Expression,
  type ListLiteral,
  type MapLiteral,
  type ObjectLiteral,
  qualifiedName,
  type Select,
} from '../syntax/ast.ts'
import { type Issue, issueAt } from '../syntax/source.ts'
import {
  BOOL,
  type CelType,
  DYN,
  ERROR,
  INT,
  isOptional,
  listType,
  mapType,
  optionalType,
  STRING,
  sameType,
  typeParameter,
  typeText,
} from '../types.ts'
import type { CelValue } from '../values.ts'
import { isDynamic, moreGeneral, Substitutions, weightOf } from './unify.ts'

/** What a name, a call or a construction stands for. */
export type Reference =
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'local'; readonly name: string }
  | { readonly kind: 'constant'; readonly value: CelValue }
  | { readonly kind: 'function'; readonly declaration: FunctionDeclaration; readonly overloads: readonly Overload[] }
  | { readonly kind: 'object'; readonly declaration: ObjectDeclaration }

export interface Checked {
  readonly expression: Expression
  readonly environment: Environment
  readonly types: ReadonlyMap<Expression, CelType>
  readonly references: ReadonlyMap<Expression, Reference>
}

/** The parts a type may have; only expressions made to be large have more. */
const TYPE_WEIGHT_MAX = 5_000

export function check(
  expression: Expression,
  environment: Environment,
  source: string,
): Checked | { readonly issues: readonly Issue[] } {
  const checker = new Checker(environment, source)
  checker.check(expression)
  if (checker.issues.length > 0) return { issues: checker.issues }
  return { expression, environment, types: checker.resolvedTypes(), references: checker.references }
}

interface Scope {
  readonly names: ReadonlyMap<string, CelType>
  readonly outer: Scope | undefined
}

class Checker {
  readonly issues: Issue[] = []
  readonly references = new Map<Expression, Reference>()
  private readonly types = new Map<Expression, CelType>()
  private readonly substitutions = new Substitutions()
  private readonly environment: Environment
  private readonly source: string
  private scope: Scope | undefined
  private parameters = 0

  constructor(environment: Environment, source: string) {
    this.environment = environment
    this.source = source
  }

  resolvedTypes(): ReadonlyMap<Expression, CelType> {
    return new Map([...this.types].map(([node, type]) => [node, this.substitutions.resolve(type, DYN)]))
  }

  check(node: Expression): CelType {
    const type = this.typeOf(node)
    if (weightOf(type) > TYPE_WEIGHT_MAX) {
      this.report(node.offset, 'type of expression is too complex')
      return this.setType(node, ERROR)
    }
    return this.setType(node, type)
  }

  private typeOf(node: Expression): CelType {
    switch (node.kind) {
      case 'literal':
        return typeOfValue(node.value)
      case 'identifier':
        return this.checkName(node, node.name) ?? this.undeclared(node.offset, node.name)
      case 'select':
        return this.checkSelect(node)
      case 'call':
        return this.checkCall(node)
      case 'list':
        return this.checkList(node)
      case 'map':
        return this.checkMap(node)
      case 'object':
        return this.checkObject(node)
      case 'comprehension':
        return this.checkComprehension(node)
    }
  }

  private setType(node: Expression, type: CelType): CelType {
    this.types.set(node, type)
    return type
  }

  private report(offset: number, message: string): void {
    this.issues.push(issueAt(this.source, offset, message))
  }

  private undeclared(offset: number, name: string): CelType {
    this.report(offset, `undeclared reference to '${name}' (in container '${this.environment.container}')`)
    return ERROR
  }

  private mismatch(offset: number, expected: CelType, actual: CelType): void {
    this.report(offset, `expected type '${typeText(expected)}' but found '${typeText(actual)}'`)
  }

  /** The type of what a name stands for; undefined when there is nothing of that name. */
  private checkName(node: Expression, name: string): CelType | undefined {
    const local = name.startsWith('.') ? undefined : this.localType(name)
    if (local !== undefined) {
      this.references.set(node, { kind: 'local', name })
      return local
    }
    for (const candidate of this.environment.candidates(name)) {
      const variable = this.environment.variable(candidate)
      if (variable !== undefined) {
        this.references.set(node, { kind: 'variable', name: candidate })
        return variable
      }
      const constant = this.environment.constant(candidate)
      if (constant !== undefined) {
        this.references.set(node, { kind: 'constant', value: constant.value })
        return constant.type
      }
    }
    return undefined
  }

  private localType(name: string): CelType | undefined {
    for (let scope = this.scope; scope !== undefined; scope = scope.outer) {
      const type = scope.names.get(name)
      if (type !== undefined) return type
    }
    return undefined
  }

  private checkSelect(node: Select): CelType {
    const name = node.test ? undefined : qualifiedName(node)
    const named = name === undefined || this.startsLocal(name) ? undefined : this.checkName(node, name)
    if (named !== undefined) return named
    const type = this.fieldType(node.offset, node.operand, node.field, false)
    return node.test ? BOOL : this.substitutions.resolve(type)
  }

  /** Whether a dotted name begins with a variable of a macro, which is never part of a longer name. */
  private startsLocal(name: string): boolean {
    const first = name.split('.', 1)[0] ?? ''
    return first !== '' && this.localType(first) !== undefined
  }

  private fieldType(offset: number, operand: Expression, field: string, optional: boolean): CelType {
    const operandType = this.substitutions.resolve(this.check(operand))
    const inOptional = isOptional(operandType)
    const target = inOptional ? (operandType.parameters[0] ?? DYN) : operandType
    const type = this.selectedType(offset, target, field)
    return inOptional || optional ? optionalType(type) : type
  }

  private selectedType(offset: number, target: CelType, field: string): CelType {
    switch (target.kind) {
      case 'map':
        return target.value
      case 'object': {
        const found = target.field(field)
        if (found === undefined) this.report(offset, `undefined field '${field}'`)
        return found?.type ?? ERROR
      }
      case 'parameter':
        this.substitutions.assign(DYN, target)
        return DYN
      case 'dyn':
      case 'any':
      case 'error':
        return DYN
      default:
        this.report(offset, `type '${typeText(target)}' does not support field selection`)
        return DYN
    }
  }

  private checkCall(node: Call): CelType {
    if (node.name === '_?._') return this.checkOptionalSelect(node)
    for (const value of node.values) this.check(value)
    const { target } = node
    if (target === undefined) return this.checkFunction(node, node.name, undefined)
    const prefix = qualifiedName(target)
    const spelled = prefix === undefined || this.startsLocal(prefix) ? undefined : `${prefix}.${node.name}`
    if (spelled !== undefined && this.environment.function(spelled) !== undefined) {
      return this.checkFunction(node, spelled, undefined)
    }
    this.check(target)
    return this.checkFunction(node, node.name, target)
  }

  private checkOptionalSelect(node: Call): CelType {
    const [operand, field] = node.values
    if (operand === undefined || field?.kind !== 'literal' || typeof field.value !== 'string') return ERROR
    this.setType(field, STRING)
    const type = this.fieldType(node.offset, operand, field.value, true)
    const declaration = this.environment.function('_?._')
    if (declaration === undefined) return this.undeclared(node.offset, '_?._')
    this.references.set(node, { kind: 'function', declaration, overloads: declaration.overloads })
    return this.substitutions.resolve(type)
  }

  private checkFunction(node: Call, name: string, target: Expression | undefined): CelType {
    const declaration = this.environment.function(name)
    if (declaration === undefined) return this.undeclared(node.offset, name === node.name ? name : node.name)
    const values = target === undefined ? node.values : [target, ...node.values]
    const types = values.map((value) => this.types.get(value) ?? ERROR)
    if (name === '_&&_' || name === '_||_') return this.checkLogical(node, declaration, types)
    const overloads: Overload[] = []
    let result: CelType | undefined
    for (const overload of declaration.overloads) {
      if ((overload.member === true) !== (target !== undefined)) continue
      const found = this.overloadResult(overload, types)
      if (found === undefined) continue
      overloads.push(overload)
      if (result === undefined) result = found
      else if (!isDynamic(result) && !sameType(found, result)) result = DYN
    }
    if (result === undefined) return this.noOverload(node.offset, declaration.name, types, target !== undefined)
    this.references.set(node, { kind: 'function', declaration, overloads })
    return result
  }

  private checkLogical(node: Call, declaration: FunctionDeclaration, types: readonly CelType[]): CelType {
    let failed = false
    for (const [index, type] of types.entries()) {
      if (this.substitutions.assign(type, BOOL)) continue
      this.mismatch(node.values[index]?.offset ?? node.offset, BOOL, type)
      failed = true
    }
    this.references.set(node, { kind: 'function', declaration, overloads: declaration.overloads })
    return failed ? ERROR : BOOL
  }

  private noOverload(offset: number, name: string, types: readonly CelType[], isMember: boolean): CelType {
    const texts = types.map((type) => typeText(this.substitutions.resolve(type, DYN)))
    const signature = isMember ? `${texts[0]}.(${texts.slice(1).join(', ')})` : `(${texts.join(', ')})`
    this.report(offset, `found no matching overload for '${name}' applied to '${signature}'`)
    return ERROR
  }

  /** The result's type when the overload takes values of these types. */
  private overloadResult(overload: Overload, types: readonly CelType[]): CelType | undefined {
    if (overload.parameters.length !== types.length) return undefined
    const fresh = new Map<string, CelType>()
    const parameters = overload.parameters.map((type) => this.instance(type, fresh))
    if (!this.substitutions.assignAll(types, parameters)) return undefined
    return this.substitutions.resolve(this.instance(overload.result, fresh))
  }

  /** The type with the function's own parameters replaced by new ones. */
  private instance(type: CelType, fresh: Map<string, CelType>): CelType {
    switch (type.kind) {
      case 'parameter': {
        const known = fresh.get(type.name)
        if (known !== undefined) return known
        const made = this.newParameter()
        fresh.set(type.name, made)
        return made
      }
      case 'list':
        return listType(this.instance(type.element, fresh))
      case 'map':
        return mapType(this.instance(type.key, fresh), this.instance(type.value, fresh))
      case 'opaque':
        return { ...type, parameters: type.parameters.map((part) => this.instance(part, fresh)) }
      case 'type':
        return type.of === undefined ? type : { kind: 'type', of: this.instance(type.of, fresh) }
      default:
        return type
    }
  }

  private newParameter(): CelType {
    return typeParameter(`_var${this.parameters++}`)
  }

  private checkList({ elements, optional }: ListLiteral): CelType {
    let joined: CelType | undefined
    for (const [index, element] of elements.entries()) {
      const type = this.elementType(element, optional.has(index))
      joined = this.join(joined, type)
    }
    return listType(joined ?? this.newParameter())
  }

  /** The type of an element, entry or field; of `?value` it is what the optional holds. */
  private elementType(node: Expression, optional: boolean): CelType {
    const type = this.check(node)
    if (!optional) return type
    const resolved = this.substitutions.resolve(type)
    if (isOptional(resolved)) return resolved.parameters[0] ?? DYN
    if (!isDynamic(resolved)) this.mismatch(node.offset, optionalType(resolved), resolved)
    return resolved
  }

  private join(previous: CelType | undefined, current: CelType): CelType {
    if (previous === undefined) return current
    if (this.substitutions.assign(previous, current)) return moreGeneral(previous, current)
    return DYN
  }

  private checkMap({ entries }: MapLiteral): CelType {
    let keyType: CelType | undefined
    let valueType: CelType | undefined
    for (const { key, value, optional } of entries) {
      keyType = this.join(keyType, this.check(key))
      valueType = this.join(valueType, this.elementType(value, optional))
    }
    return mapType(keyType ?? this.newParameter(), valueType ?? this.newParameter())
  }

  private checkObject(node: ObjectLiteral): CelType {
    const type = this.checkName(node, node.type)
    const of = type?.kind === 'type' ? type.of : undefined
    let result: CelType = ERROR
    if (type === undefined) return this.undeclared(node.offset, node.type)
    if (type.kind !== 'type') this.report(node.offset, `'${typeText(type)}' is not a type`)
    else if (of?.kind !== 'object') this.report(node.offset, `'${typeText(of ?? type)}' is not a message type`)
    else {
      const declaration = this.environment.objectType(of.name) ?? { type: of }
      this.references.set(node, { kind: 'object', declaration })
      result = of
    }
    for (const { offset, key, value, optional } of node.fields) {
      const field = of?.kind === 'object' ? of.field(key) : undefined
      if (of?.kind === 'object' && field === undefined) this.report(offset, `undefined field '${key}'`)
      const valueType = this.elementType(value, optional)
      const fieldType = field?.type ?? ERROR
      if (this.substitutions.assign(fieldType, valueType)) continue
      const message = `expected type of field '${key}' is '${typeText(fieldType)}' but provided type is`
      this.report(offset, `${message} '${typeText(this.substitutions.resolve(valueType, DYN))}'`)
    }
    return result
  }

  private checkComprehension(node: Comprehension): CelType {
    const range = this.substitutions.resolve(this.check(node.range))
    const accumulator = this.check(node.initial)
    const outer = this.scope
    const withAccumulator: Scope = { names: new Map([[node.accumulator, accumulator]]), outer }
    const [first, second] = this.rangeTypes(node, range)
    const names = new Map([[node.variable, first]])
    if (node.variable2 !== undefined) names.set(node.variable2, second)
    this.scope = { names, outer: withAccumulator }
    this.expectType(node.condition, BOOL)
    this.expectType(node.step, accumulator)
    this.scope = withAccumulator
    const result = this.check(node.result)
    this.scope = outer
    return this.substitutions.resolve(result)
  }

  /** The types of the variables of a fold over a range. */
  private rangeTypes({ range: node, variable2 }: Comprehension, range: CelType): readonly [CelType, CelType] {
    switch (range.kind) {
      case 'list':
        return variable2 === undefined ? [range.element, ERROR] : [INT, range.element]
      case 'map':
        return [range.key, range.value]
      case 'dyn':
      case 'error':
      case 'parameter':
        this.substitutions.assign(DYN, range)
        return [DYN, DYN]
      default: {
        const text = `expression of type '${typeText(range)}' cannot be range of a comprehension`
        this.report(node.offset, `${text} (must be list, map, or dynamic)`)
        return [ERROR, ERROR]
      }
    }
  }

  private expectType(node: Expression, expected: CelType): void {
    const type = this.check(node)
    if (!this.substitutions.assign(expected, type)) this.mismatch(node.offset, expected, type)
  }
}
