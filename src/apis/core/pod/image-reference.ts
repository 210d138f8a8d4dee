/** The tag of an image reference, as far as defaulting needs it: `[host[:port]/]path[:tag][@digest]`. */

const NAME_COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const HOST = '(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9-]+)*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?'
const REFERENCE = new RegExp(
  `^(?:${HOST}/)?${NAME_COMPONENT}(?:/${NAME_COMPONENT})*(?::([\\w][\\w.-]{0,127}))?(@[A-Za-z][\\w+.-]*:[0-9a-fA-F]{32,})?$`,
)

/** References are untrusted; longer ones than this are no references: 255 bytes of name, 128 of tag, 200 of digest. */
const REFERENCE_LENGTH_MAX = 600
/** What registries allow. */
const NAME_LENGTH_MAX = 255

/** `latest` where neither tag nor digest is given; empty for a digest alone and for text that is no reference. */
export function imageTag(image: string): string {
  if (image.length > REFERENCE_LENGTH_MAX) return ''
  const match = REFERENCE.exec(image)
  if (!match) return ''
  const [, tag, digest] = match
  const name = image.slice(0, image.length - (digest?.length ?? 0) - (tag === undefined ? 0 : tag.length + 1))
  if (name.length > NAME_LENGTH_MAX) return ''
  return tag ?? (digest === undefined ? 'latest' : '')
}
