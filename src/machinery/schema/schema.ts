/**
 * The one schema type, for built-in and custom resources alike: structural OpenAPI v3 with Kubernetes'
 * extensions. Nodes are linked, not referenced by name, so that a recursive type is a cycle; walkers follow
 * the data and therefore end. Field names are those of a CustomResourceDefinition's `openAPIV3Schema`.
 */

export type SchemaType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'

export interface Schema {
  /** Absent: any JSON value. */
  readonly type?: SchemaType | undefined
  /** For people: shown by `kubectl explain`. */
  readonly description?: string | undefined
  readonly title?: string | undefined
  readonly format?: string | undefined
  readonly nullable?: boolean | undefined
  readonly properties?: Readonly<Record<string, Schema>> | undefined
  readonly additionalProperties?: Schema | boolean | undefined
  readonly items?: Schema | undefined
  readonly required?: readonly string[] | undefined
  readonly default?: unknown
  readonly enum?: readonly unknown[] | undefined
  readonly minimum?: number | undefined
  readonly maximum?: number | undefined
  readonly exclusiveMinimum?: boolean | undefined
  readonly exclusiveMaximum?: boolean | undefined
  readonly multipleOf?: number | undefined
  readonly minLength?: number | undefined
  readonly maxLength?: number | undefined
  readonly pattern?: string | undefined
  readonly minItems?: number | undefined
  readonly maxItems?: number | undefined
  readonly uniqueItems?: boolean | undefined
  readonly minProperties?: number | undefined
  readonly maxProperties?: number | undefined
  readonly allOf?: readonly Schema[] | undefined
  readonly anyOf?: readonly Schema[] | undefined
  readonly oneOf?: readonly Schema[] | undefined
  readonly not?: Schema | undefined
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean | undefined
  readonly 'x-kubernetes-embedded-resource'?: boolean | undefined
  readonly 'x-kubernetes-int-or-string'?: boolean | undefined
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map' | undefined
  readonly 'x-kubernetes-list-map-keys'?: readonly string[] | undefined
  readonly 'x-kubernetes-map-type'?: 'granular' | 'atomic' | undefined
  readonly 'x-kubernetes-patch-strategy'?: string | undefined
  readonly 'x-kubernetes-patch-merge-key'?: string | undefined
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[] | undefined
  /**
   * Built-in types only: the definition this node is of, such as `core.v1.PodSpec` or `resource#.Quantity`.
   * It names the type in messages and picks the canonical form of a value.
   */
  readonly definition?: string | undefined
  /** Built-in types only. Absent: the field is written exactly when it is there. */
  readonly presence?: Presence | undefined
}

/** Whether a value is a schema, or a list of them, or another form that stays as it is; `items` is the schema. */
export function isSchemaOrOther({ definition }: Schema): boolean {
  return definition?.startsWith('apiextensions.v1.JSONSchemaPropsOr') === true
}

/**
 * When stored JSON has a field of a built-in type. `always`: even when never set, then with its zero value
 * (`""`, `0`, `false`, `null` for lists, maps and times, `{}` for structs). `nonZero`: unless it has its zero
 * value. `set`: when it was set, to whatever value. `setOrNull`: always, `null` when it was not set.
 */
export type Presence = 'always' | 'nonZero' | 'set' | 'setOrNull'

export interface ValidationRule {
  readonly rule: string
  readonly message?: string | undefined
  readonly messageExpression?: string | undefined
  readonly reason?: string | undefined
  readonly fieldPath?: string | undefined
  readonly optionalOldSelf?: boolean | undefined
}
