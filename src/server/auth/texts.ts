/** Texts as upstream's language makes them. */

/** Several failures as one text: `a`, or `[a, b]`; equal ones are said once. */
export function aggregated(texts: readonly string[]): string {
  const different = [...new Set(texts)]
  return different.length > 1 ? `[${different.join(', ')}]` : (different[0] ?? '')
}

/** As upstream prints lists: `["a" "b"]`. */
export function quotedList(list: readonly string[]): string {
  return `[${list.map((text) => JSON.stringify(text)).join(' ')}]`
}
