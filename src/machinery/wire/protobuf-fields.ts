/**
 * The field tables that protobuf is decoded and encoded by. A message is a name and its fields as text:
 *
 *   "core.v1.ContainerPort": ["1 name string", "3 containerPort int32 !", …]
 *   number, JSON name, type ([] repeated, {} map), flags: * nullable, ! always written, ~ embedded, oz omitted when zero
 */

/** Message name → its fields, as above. */
export type ProtobufMessages = Readonly<Record<string, readonly string[]>>

export interface Field {
  readonly number: number
  /** In JSON. */
  readonly name: string
  /** A scalar's name, or that of a message. */
  readonly type: string
  readonly shape: 'one' | 'list' | 'map'
  readonly nullable: boolean
  /** JSON has the field even when it is zero. */
  readonly always: boolean
  /** A message of its own whose fields JSON shows in the object around it. */
  readonly embedded: boolean
  readonly omitZero: boolean
}

/** What a scalar is where nothing was sent, by the scalar's name. */
export const ZEROS: Readonly<Record<string, unknown>> = {
  string: '',
  bytes: '',
  bool: false,
  int32: 0,
  int64: 0,
  double: 0,
}

/** How a value lies in the bytes: the low three bits of its tag. */
export const WIRE_VARINT = 0
export const WIRE_FIXED64 = 1
export const WIRE_BYTES = 2
export const WIRE_FIXED32 = 5

/** Four bytes before every object: they tell its envelope from other bytes. */
export const MAGIC = Buffer.from('k8s\0', 'latin1')

export function isScalar({ type }: Pick<Field, 'type'>): boolean {
  return type in ZEROS
}

export function wireOf({ type }: Pick<Field, 'type'>): number {
  if (type === 'double') return WIRE_FIXED64
  return type === 'bool' || type === 'int32' || type === 'int64' ? WIRE_VARINT : WIRE_BYTES
}

export function parseField(text: string): Field {
  const [number = '', name = '', spelled = '', ...flags] = text.split(' ')
  const shape = spelled.startsWith('[]') ? 'list' : spelled.startsWith('{}') ? 'map' : 'one'
  const has = (flag: string) => flags.includes(flag)
  return {
    number: Number(number),
    name,
    type: shape === 'one' ? spelled : spelled.slice(2),
    shape,
    nullable: has('*'),
    always: has('!'),
    embedded: has('~'),
    omitZero: has('oz'),
  }
}
