/**
 * JSON values as YAML text in the one style that the protobuf document has: block style, two spaces, lists
 * not indented below their key, a newline at the end.
 */

const NEEDS_QUOTES = /^[\s\-?:,[\]{}#&*!|>'"%@`]|^(true|false|null|yes|no|on|off|y|n|~)$|^[-+.\d]|: |\s#|:$/i

export function yamlText(value: unknown, indent = ''): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return `${indent}[]\n`
    return value.map((item) => `${indent}- ${yamlText(item, `${indent}  `).trimStart()}`).join('')
  }
  if (typeof value === 'object' && value !== null) return yamlMap(Object.entries(value), indent)
  return typeof value === 'string' ? `${quotedIfNeeded(value)}\n` : `${String(value)}\n`
}

function yamlMap(entries: readonly (readonly [string, unknown])[], indent: string): string {
  if (entries.length === 0) return `${indent}{}\n`
  return entries
    .map(([key, value]) => {
      if (typeof value !== 'object' || value === null) return `${indent}${quotedIfNeeded(key)}: ${yamlText(value)}`
      return `${indent}${quotedIfNeeded(key)}:\n${yamlText(value, Array.isArray(value) ? indent : `${indent}  `)}`
    })
    .join('')
}

function quotedIfNeeded(text: string): string {
  if (text === '') return '""'
  if (/[\n\t\\]/.test(text)) return JSON.stringify(text)
  return NEEDS_QUOTES.test(text) ? `'${text.replaceAll("'", "''")}'` : text
}
