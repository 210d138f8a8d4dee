/** PEM: blocks of DER between lines of dashes. What stands outside of blocks is passed over. */

export interface PemBlock {
  readonly type: string
  /** Whether lines such as `Proc-Type: …` come before the data. */
  readonly hasHeaders: boolean
  readonly bytes: Buffer
}

const BEGIN = '-----BEGIN '
const END = '-----END '
const DASHES = '-----'

/** The blocks of a text, in order, in one pass. What begins anew before it ends, or ends as another type, is none. */
export function pemBlocks(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = []
  let end = -1
  for (let begin = text.indexOf(BEGIN); begin >= 0; ) {
    if (end < begin) end = text.indexOf(END, begin)
    if (end < 0) return blocks
    const next = text.indexOf(BEGIN, begin + BEGIN.length)
    const block = next >= 0 && next < end ? undefined : blockOf(text, begin, end)
    if (block) blocks.push(block)
    begin = next
  }
  return blocks
}

function blockOf(text: string, begin: number, end: number): PemBlock | undefined {
  const typeEnd = text.indexOf(DASHES, begin + BEGIN.length)
  if (typeEnd < 0 || typeEnd >= end) return undefined
  const type = text.slice(begin + BEGIN.length, typeEnd)
  if (type.includes('\n') || !text.startsWith(`${type}${DASHES}`, end + END.length)) return undefined
  const lines = text.slice(typeEnd + DASHES.length, end).split('\n')
  const data = lines.flatMap((line) => (line.includes(':') ? [] : [line.trim()])).join('')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data)) return undefined
  return { type, hasHeaders: lines.some((line) => line.includes(':')), bytes: Buffer.from(data, 'base64') }
}
