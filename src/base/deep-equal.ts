/** Equality of JSON values. A key whose value is `undefined` counts as absent. */
export function deepEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return Number.isNaN(left) && Number.isNaN(right)
  }
  if (Array.isArray(left) || Array.isArray(right))
    return Array.isArray(left) && Array.isArray(right) && equalArrays(left, right)
  return equalObjects(left as Record<string, unknown>, right as Record<string, unknown>)
}

function equalArrays(left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) if (!deepEqual(left[index], right[index])) return false
  return true
}

function equalObjects(left: Record<string, unknown>, right: Record<string, unknown>): boolean {
  let keysLeft = 0
  for (const key in left) {
    if (left[key] === undefined) continue
    keysLeft++
    if (!Object.hasOwn(right, key) || !deepEqual(left[key], right[key])) return false
  }
  let keysRight = 0
  for (const key in right) if (right[key] !== undefined) keysRight++
  return keysLeft === keysRight
}
