import { describe, expect, test } from 'vitest'
import { type Accepted, checkRouteMakes, LIST_TYPES, negotiate, OBJECT_TYPES } from './negotiate.ts'

const accepted = (accept: string | undefined, query = '', userAgent = 'kubectl/v1.36.0'): Accepted =>
  negotiate({ headers: { accept, 'user-agent': userAgent }, query: new URLSearchParams(query) })

describe('negotiate', () => {
  test.each([
    [undefined, 'json', 'none'],
    ['*/*', 'json', 'none'],
    ['application/yaml', 'yaml', 'none'],
    ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'json', 'table'],
    ['application/json;as=Table;v=v9;g=meta.k8s.io,application/json', 'json', 'none'],
    ['application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', 'json', 'metadataList'],
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

describe('a route', () => {
  const checked = (accept: string | undefined, types = OBJECT_TYPES) =>
    checkRouteMakes(types, { headers: accept === undefined ? {} : { accept } })

  test.each([undefined, '', '*/*', 'text/html,*/*;q=0.1', 'application/json;as=Poem', 'application/json;'])(
    'makes something of Accept: %s',
    (accept) => {
      expect(() => checked(accept)).not.toThrow()
    },
  )

  test.each(['text/html', 'application/cbor', 'application/*'])('makes nothing of Accept: %s', (accept) => {
    expect(() => checked(accept)).toThrow(
      `406: Not Acceptable\n\nAvailable representations: ${OBJECT_TYPES.join(', ')}`,
    )
  })

  test('of a collection makes streams, too', () => {
    expect(() => checked('text/html', LIST_TYPES)).toThrow('application/vnd.kubernetes.protobuf;stream=watch')
  })
})
