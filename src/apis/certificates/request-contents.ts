/** Who and what a certificate request is for: the subject and the alternative names inside the PKCS#10. */

import { type DerValue, derValues, OBJECT_IDENTIFIER, objectIdentifier, SEQUENCE } from './der.ts'
import { pemBlocks } from './pem.ts'

export interface RequestContents {
  /** The last one, as Go reads it; empty when there is none. */
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly Buffer[]
  readonly emailAddresses: readonly string[]
  readonly uris: readonly string[]
}

const BLOCK_TYPE = 'CERTIFICATE REQUEST'
const COMMON_NAME = '2.5.4.3'
const ORGANIZATION = '2.5.4.10'
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'
const ALTERNATIVE_NAMES = '2.5.29.17'
const SET = 0x31
const OCTET_STRING = 0x04
const BMP_STRING = 0x1e
/** Tags of alternative names. */
const EMAIL = 0x81
const DNS = 0x82
const URI = 0x86
const IP = 0x87
const NAME_TAGS = [EMAIL, DNS, URI, IP]

/** What a certificate takes over from the request for it, in DER. */
export interface RequestParts {
  readonly subject: Buffer
  readonly publicKey: Buffer
  /** The alternative names of the kinds above. */
  readonly names: readonly Buffer[]
}

/** `request`: PEM. Undefined when it is not a request. Whether it is signed, `signingRequestFinding` says. */
export function requestParts(request: string): RequestParts | undefined {
  const [subject, publicKey, attributes] = informationOf(request)
  if (subject?.tag !== SEQUENCE || publicKey?.tag !== SEQUENCE) return undefined
  const names = attributes ? alternativeNames(attributes) : []
  const known = names.filter(({ tag }) => NAME_TAGS.includes(tag))
  return { subject: subject.whole, publicKey: publicKey.whole, names: known.map(({ whole }) => whole) }
}

/** The subject, the key and the attributes of a request in PEM; nothing when it is none. */
function informationOf(request: string): readonly DerValue[] {
  const [block] = pemBlocks(request)
  if (block?.type !== BLOCK_TYPE) return []
  const [outer] = derValues(block.bytes) ?? []
  const [information] = parts(outer)
  return parts(information).slice(1)
}

/** `request`: as it stands in the spec, base64 of PEM. Undefined when it is not a request. */
export function parseSigningRequest(request: string): RequestContents | undefined {
  const [subject, , attributes] = informationOf(Buffer.from(request, 'base64').toString('latin1'))
  if (subject?.tag !== SEQUENCE) return undefined
  const names = parts(subject).flatMap((set) => members(set, SET).map(attributeOf))
  const textsOf = (type: string) =>
    names.flatMap((name) => (name.type === type && name.value ? textOf(name.value) : []))
  const alternative = attributes ? alternativeNames(attributes) : []
  const textsIn = (tag: number) => alternative.filter((name) => name.tag === tag).map(textOf)
  return {
    commonName: textsOf(COMMON_NAME).at(-1) ?? '',
    organizations: textsOf(ORGANIZATION),
    dnsNames: textsIn(DNS),
    emailAddresses: textsIn(EMAIL),
    uris: textsIn(URI),
    ipAddresses: alternative.filter(({ tag }) => tag === IP).map(({ content }) => content),
  }
}

function parts(value: DerValue | undefined): readonly DerValue[] {
  return members(value, SEQUENCE)
}

function members(value: DerValue | undefined, tag: number): readonly DerValue[] {
  return value?.tag === tag ? (derValues(value.content) ?? []) : []
}

interface Typed {
  readonly type: string
  readonly value: DerValue | undefined
}

/** A type and what follows it: a name's attribute, a request's attribute, an extension. */
function attributeOf(value: DerValue): Typed {
  const [identifier, ...rest] = parts(value)
  const type = identifier?.tag === OBJECT_IDENTIFIER ? objectIdentifier(identifier.content) : ''
  return { type, value: rest.at(-1) }
}

function textOf({ tag, content }: DerValue): string {
  const wide = tag === BMP_STRING && content.length % 2 === 0
  return wide ? Buffer.from(content).swap16().toString('utf16le') : content.toString('utf8')
}

function alternativeNames(attributes: DerValue): readonly DerValue[] {
  const requested = (derValues(attributes.content) ?? []).map(attributeOf)
  const extensions = requested
    .filter(({ type }) => type === EXTENSION_REQUEST)
    .flatMap(({ value }) => members(value, SET).flatMap(parts).map(attributeOf))
  return extensions
    .filter(({ type }) => type === ALTERNATIVE_NAMES)
    .flatMap(({ value }) => {
      const [names] = value?.tag === OCTET_STRING ? (derValues(value.content) ?? []) : []
      return parts(names)
    })
}
