/**
 * Words of others on a terminal. A name in a log, the reason of a webhook or the agent of a caller may hold what a
 * terminal obeys: it is shown instead, as kubectl shows it.
 *
 *   ESC ]0;evil BEL   →   ^[]0;evil^G
 */

/** Control characters of both kinds, but for tabs and line feeds. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** What a caret stands for: the character 64 further on. */
const CARET_OFFSET = 0x40

export function printable(text: string): string {
  return text.replace(CONTROL, (character) => {
    const code = character.charCodeAt(0)
    if (code >= 0x80) return `\\u00${code.toString(16)}`
    return code === 0x7f ? '^?' : `^${String.fromCharCode(code + CARET_OFFSET)}`
  })
}
