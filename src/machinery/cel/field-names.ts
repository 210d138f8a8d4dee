/** Property names as expressions write them: `namespace` is a keyword, so it is `self.__namespace__`. */

const RESERVED = new Set([
  'true',
  'false',
  'null',
  'in',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
])

const ESCAPES: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
}

const UNESCAPES = new Map(Object.entries(ESCAPES).map(([plain, escaped]) => [escaped, plain]))

/** The name in expressions; undefined when a property of this name cannot be reached. */
export function escapeFieldName(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`
  if (!/^[A-Za-z_.\-/][A-Za-z0-9_.\-/]*$/.test(name)) return undefined
  return name.replace(/__|[.\-/]/g, (part) => ESCAPES[part] ?? part)
}

/** The property's name; undefined when no property is escaped like that. */
export function unescapeFieldName(name: string): string | undefined {
  if (name.startsWith('__') && name.endsWith('__')) {
    const plain = name.slice(2, -2)
    if (RESERVED.has(plain)) return plain
  }
  if (name === '' || RESERVED.has(name)) return undefined
  let unknown = false
  const plain = name.replace(/__(?:underscores|dot|dash|slash)__|__/g, (part) => {
    const found = UNESCAPES.get(part)
    unknown ||= found === undefined
    return found ?? part
  })
  return unknown ? undefined : plain
}
