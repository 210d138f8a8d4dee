/** Freezes a JSON value all the way down and returns it. Stops at what is frozen already. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  if (Array.isArray(value)) for (const item of value) deepFreeze(item)
  else for (const key in value) deepFreeze(value[key])
  return value
}

/** A mutable copy of a JSON value. */
export function deepClone<T>(value: T): Mutable<T> {
  if (typeof value !== 'object' || value === null) return value as Mutable<T>
  if (Array.isArray(value)) return value.map((item) => deepClone(item)) as Mutable<T>
  const copy: Record<string, unknown> = {}
  for (const key in value) setOwn(copy, key, deepClone(value[key]))
  return copy as Mutable<T>
}

/** A mutable copy of an object whose members are shared. */
export function shallowCopy(source: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(source)) setOwn(copy, key, source[key])
  return copy
}

/** Sets a property of any name, `__proto__` included, as an own property. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') target[key] = value
  else Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
}

export type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
    : T
