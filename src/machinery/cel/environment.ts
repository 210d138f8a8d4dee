/** The inside of an environment: declarations by name, and how a name is looked up in a container. */

import type { ConstantDeclaration, FunctionDeclaration, Library, ObjectDeclaration, Overload } from './declarations.ts'
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listType,
  mapType,
  NULL,
  optionalType,
  STRING,
  TIMESTAMP,
  TYPE,
  UINT,
} from './types.ts'
import { TypeValue } from './values.ts'

export interface EnvironmentOptions {
  /** Names and types of the variables; dotted names are allowed. */
  readonly variables?: Readonly<Record<string, CelType>> | undefined
  /** Besides the standard functions. */
  readonly libraries?: readonly Library[] | undefined
  /** Finds further object types by name. */
  readonly findType?: ((name: string) => ObjectDeclaration | undefined) | undefined
  /** The namespace in which names are looked up first. */
  readonly container?: string | undefined
  /** Whether elements of list and map literals must be of one type, as Kubernetes has it. Default: they need not. */
  readonly homogeneousLiterals?: boolean | undefined
  /** Whether fields may be named in backticks, which Kubernetes does not have. Default: they may. */
  readonly quotedNames?: boolean | undefined
  /** Whether there is `cel.bind`, which Kubernetes does not have. Default: there is. */
  readonly bindings?: boolean | undefined
}

/** Declarations an expression is checked against. Immutable; layers of variables share the rest. */
export class Environment {
  readonly functions: ReadonlyMap<string, FunctionDeclaration>
  readonly container: string
  readonly homogeneousLiterals: boolean
  readonly quotedNames: boolean
  readonly bindings: boolean
  private readonly variables: ReadonlyMap<string, CelType>
  private readonly constants: ReadonlyMap<string, ConstantDeclaration>
  private readonly objectTypes: readonly ((name: string) => ObjectDeclaration | undefined)[]

  constructor(options: EnvironmentOptions, base?: Environment) {
    const libraries = options.libraries ?? []
    this.container = options.container ?? base?.container ?? ''
    this.homogeneousLiterals = options.homogeneousLiterals ?? base?.homogeneousLiterals ?? false
    this.bindings = options.bindings ?? base?.bindings ?? true
    this.quotedNames = options.quotedNames ?? base?.quotedNames ?? true
    this.variables = new Map([...(base?.variables ?? []), ...Object.entries(options.variables ?? {})])
    this.functions = libraries.length === 0 && base !== undefined ? base.functions : merged(base, libraries)
    this.constants = new Map([
      ...(base?.constants ?? TYPE_NAMES),
      ...libraries.flatMap(({ constants = [] }) => constants).map((constant) => [constant.name, constant] as const),
    ])
    const named = new Map(
      libraries.flatMap(({ types = [] }) => types).map((declared) => [declared.type.name, declared]),
    )
    const finders = [...(base?.objectTypes ?? [])]
    if (named.size > 0) finders.push((name) => named.get(name))
    if (options.findType !== undefined) finders.push(options.findType)
    this.objectTypes = finders
  }

  /** The same environment with more in it. */
  extend(options: EnvironmentOptions): Environment {
    return new Environment(options, this)
  }

  variable(name: string): CelType | undefined {
    return this.variables.get(name)
  }

  /** A constant, or the name of a type, which is the type as a value. */
  constant(name: string): ConstantDeclaration | undefined {
    const constant = this.constants.get(name)
    if (constant !== undefined) return constant
    const type = this.objectType(name)?.type
    return type === undefined ? undefined : { name, type: { kind: 'type', of: type }, value: new TypeValue(type) }
  }

  objectType(name: string): ObjectDeclaration | undefined {
    for (const find of this.objectTypes) {
      const declared = find(name)
      if (declared !== undefined) return declared
    }
    return undefined
  }

  /** The names a name may stand for, the innermost container first. */
  candidates(name: string): readonly string[] {
    if (name.startsWith('.')) return [name.slice(1)]
    const found: string[] = []
    for (let container = this.container; container !== ''; ) {
      found.push(`${container}.${name}`)
      const dot = container.lastIndexOf('.')
      container = dot === -1 ? '' : container.slice(0, dot)
    }
    found.push(name)
    return found
  }

  /** The function a name stands for. */
  function(name: string): FunctionDeclaration | undefined {
    for (const candidate of this.candidates(name)) {
      const declaration = this.functions.get(candidate)
      if (declaration !== undefined) return declaration
    }
    return undefined
  }
}

/** Functions of the libraries added to those of the base; overloads of one name come together. */
function merged(
  base: Environment | undefined,
  libraries: readonly Library[],
): ReadonlyMap<string, FunctionDeclaration> {
  const functions = new Map(base?.functions)
  for (const declaration of libraries.flatMap(({ functions: declared = [] }) => declared)) {
    const known = functions.get(declaration.name)
    functions.set(declaration.name, known === undefined ? declaration : united(known, declaration))
  }
  return functions
}

function united(known: FunctionDeclaration, more: FunctionDeclaration): FunctionDeclaration {
  const own = ({ overloads, evaluate }: FunctionDeclaration): readonly Overload[] =>
    overloads.map((overload) => ({ ...overload, evaluate: overload.evaluate ?? evaluate }))
  const replaced = new Set(more.overloads.map(({ id }) => id))
  const kept = own(known).filter(({ id }) => !replaced.has(id))
  return { name: known.name, overloads: [...kept, ...own(more)] }
}

const TYPE_NAMES: readonly (readonly [string, ConstantDeclaration])[] = Object.entries({
  bool: BOOL,
  bytes: BYTES,
  double: DOUBLE,
  int: INT,
  uint: UINT,
  string: STRING,
  null_type: NULL,
  type: TYPE,
  list: listType(DYN),
  map: mapType(DYN, DYN),
  optional_type: optionalType(DYN),
  'google.protobuf.Timestamp': TIMESTAMP,
  'google.protobuf.Duration': DURATION,
}).map(([name, of]) => [name, { name, type: { kind: 'type', of }, value: new TypeValue(of) }])
