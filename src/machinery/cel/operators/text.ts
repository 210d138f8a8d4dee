/** Strings by characters: positions and lengths of CEL count code points, not UTF-16 units. */

/** The number of characters; those outside the basic plane take two units each. */
export function charactersOf(text: string): number {
  let count = text.length
  for (let index = 0; index < text.length - 1; index++) {
    const unit = text.charCodeAt(index)
    if (unit >= 0xd800 && unit < 0xdc00) count--
  }
  return count
}

/** Whether every character is one unit, so that positions need no counting. */
export function isPlain(text: string): boolean {
  return charactersOf(text) === text.length
}
