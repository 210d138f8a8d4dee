/**
 * Formats that custom resources may ask for. Dashes in their names do not count; unknown formats are accepted, as
 * upstream does.
 */

import { isIP, isIPv4, isIPv6 } from 'node:net'

const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
/** Of a random and of a named one: where they stand in the text without dashes. */
const UUID_VARIANT = /^[89ab]$/i
const HOST_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i

const formats: Readonly<Record<string, (text: string) => boolean>> = {
  date: isDate,
  datetime: (text) => /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d/.test(text) && isDate(text.slice(0, 10)) && isInstant(text),
  duration: isDuration,
  email: (text) => /^[^\s@<>"]+@[^\s@<>"]+$/.test(text),
  hostname: isHostname,
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: isCidr,
  mac: (text) => /^([0-9a-f]{2}[:-]){5}([0-9a-f]{2}[:-]){0,2}[0-9a-f]{2}$/i.test(text),
  uri: (text) => text.startsWith('/') || URL.canParse(text),
  uuid: (text) => UUID.test(text),
  uuid3: (text) => isUuidVersion(text, '3'),
  uuid4: (text) => isUuidVersion(text, '4'),
  uuid5: (text) => isUuidVersion(text, '5'),
  password: () => true,
  byte: (text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text),
  bsonobjectid: (text) => /^[0-9a-f]{24}$/i.test(text),
  hexcolor: (text) => /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.test(text),
  rgbcolor: isRgbColor,
  creditcard: (text) => /^\d{13,19}$/.test(text.replace(/[ -]/g, '')),
  ssn: (text) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  k8sshortname: (text) => text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text),
  k8slongname: (text) =>
    text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text),
}

export function matchesFormat(text: string, format: string): boolean {
  const name = format.replaceAll('-', '')
  return !Object.hasOwn(formats, name) || formats[name]?.(text) !== false
}

/** Whether a format means something for values of this type; an empty type is any. */
export function isKnownFormat(format: string, type: string): boolean {
  if (type === '' || type === 'string') return Object.hasOwn(formats, format.replaceAll('-', ''))
  if (type === 'integer') return format === 'int32' || format === 'int64'
  return type === 'number' && (format === 'float' || format === 'double')
}

function isDate(text: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? []
  if (year === undefined) return false
  const isLeap = new Date(Date.UTC(Number(year), 1, 29)).getUTCMonth() === 1
  const days = month === '02' && !isLeap ? 28 : (MONTH_DAYS[Number(month) - 1] ?? 0)
  return Number(day) >= 1 && Number(day) <= days
}

function isInstant(text: string): boolean {
  return /([Zz]|[+-]\d\d:?\d\d)$/.test(text) && !Number.isNaN(Date.parse(text.replace(' ', 'T')))
}

function isDuration(text: string): boolean {
  return (
    /^[+-]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/.test(text) ||
    /^\d+\s*(nanoseconds?|microseconds?|milliseconds?|seconds?|minutes?|hours?|days?|weeks?)$/i.test(text) ||
    /^\d+(\.\d+)?\s*(ns|us|ms|s|sec|m|min|h|hr|d|w)$/i.test(text)
  )
}

function isHostname(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.')
  return text.length <= 255 && labels.every((label) => HOST_LABEL.test(label))
}

function isCidr(text: string): boolean {
  const [address = '', prefix = '', ...rest] = text.split('/')
  const bits = isIPv4(address) ? 32 : 128
  return rest.length === 0 && isIP(address) !== 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits
}

function isUuidVersion(text: string, version: string): boolean {
  const digits = text.replaceAll('-', '')
  return UUID.test(text) && digits[12] === version && (version === '3' || UUID_VARIANT.test(digits[16] ?? ''))
}

function isRgbColor(text: string): boolean {
  const [, red, green, blue] = /^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(text) ?? []
  return red !== undefined && [red, green, blue].every((part) => Number(part) <= 255)
}

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[ -]/g, '')
  if (!/^\d{9}[\dX]$/.test(digits)) return false
  const sum = [...digits].reduce(
    (total, digit, index) => total + (digit === 'X' ? 10 : Number(digit)) * (10 - index),
    0,
  )
  return sum % 11 === 0
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[ -]/g, '')
  if (!/^\d{13}$/.test(digits)) return false
  const sum = [...digits].reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3), 0)
  return sum % 10 === 0
}
