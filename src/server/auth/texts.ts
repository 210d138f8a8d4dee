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

const MARKUP: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** With parts of a request in it, but nothing that a browser could take for a page. */
export function withoutMarkup(text: string): string {
  return text.replace(/[&<>]/g, (character) => MARKUP[character] ?? '')
}
