/** kubectl's table: upper-case headers, columns as wide as their widest cell, three spaces between, nothing at the end. */

export function tableText(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = headers.length === 0 ? rows : [headers, ...rows]
  const columns = Math.max(0, ...all.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...all.map((row) => (row[column] ?? '').length)),
  )
  const lines = all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  )
  return lines.map((line) => `${line}\n`).join('')
}

/** Bytes as a quantity: `92Mi`. */
export function bytesText(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)}Mi`
}
