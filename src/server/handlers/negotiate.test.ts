import { describe, expect, test } from 'vitest'
import { type Accepted, negotiate } from './negotiate.ts'

const accepted = (accept: string | undefined, query = '', userAgent = 'kubectl/v1.36.0'): Accepted =>
  negotiate({ headers: { accept, 'user-agent': userAgent }, query: new URLSearchParams(query) })

describe('negotiate', () => {
  test.each([
    [undefined, 'json', 'none'],
    ['*/*', 'json', 'none'],
    ['application/yaml', 'yaml', 'none'],
    ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'json', 'table'],
    ['application/json;as=Table;v=v9;g=meta.k8s.io,application/json', 'json', 'none'],
    ['application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', 'json', 'metadata'],
    ['application/vnd.kubernetes.protobuf,application/json', 'protobuf', 'none'],
    ['application/vnd.kubernetes.protobuf;q=0.5,application/json', 'json', 'none'],
    ['application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io', 'protobuf', 'metadata'],
    ['application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json', 'json', 'none'],
  ])('%s is answered in %s, transformed: %s', (accept, format, as) => {
    expect(accepted(accept)).toMatchObject({ format, as })
  })

  test.each(['text/html', 'application/cbor', 'application/json;as=Table;v=v9;g=meta.k8s.io'])(
    '%s alone is not acceptable',
    (accept) => {
      expect(() => accepted(accept)).toThrow('only the following media types are accepted')
    },
  )

  test('custom resources have protobuf for their metadata only', () => {
    const custom = (accept: string) =>
      negotiate({ headers: { accept }, query: new URLSearchParams() }, { protobuf: false })
    const type = 'application/vnd.kubernetes.protobuf'
    expect(custom(`${type},application/json`).format).toBe('json')
    expect(custom(`${type};as=PartialObjectMetadata;v=v1;g=meta.k8s.io`).format).toBe('protobuf')
    expect(() => custom(type)).toThrow('only the following media types are accepted')
  })

  test('is readable for people and where asked for', () => {
    expect(accepted(undefined, '', 'curl/8').pretty).toBe(true)
    expect(accepted(undefined, 'pretty=true').pretty).toBe(true)
    expect(accepted(undefined, 'pretty=false', 'curl/8').pretty).toBe(false)
    expect(accepted(undefined).pretty).toBe(false)
  })
})
