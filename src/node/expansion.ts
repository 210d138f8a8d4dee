/**
 * `$(NAME)` in commands, arguments and environment values: a known name is replaced, an unknown reference stays as it
 * is, and `$$` is an escaped `$`. Syntax: Kubernetes' expansion of container commands.
 */
export function expand(text: string, lookUp: (name: string) => string | undefined): string {
  let result = ''
  for (let at = 0; at < text.length; at++) {
    const next = text[at + 1]
    if (text[at] !== '$' || next === undefined) {
      result += text[at]
    } else if (next === '$') {
      result += '$'
      at++
    } else if (next === '(') {
      const end = text.indexOf(')', at)
      if (end < 0) return result + text.slice(at)
      const name = text.slice(at + 2, end)
      result += lookUp(name) ?? `$(${name})`
      at = end
    } else result += '$'
  }
  return result
}
