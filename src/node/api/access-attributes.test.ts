import { expect, test } from 'vitest'
import { questionsOf } from './access-attributes.ts'

test.each([
  ['GET', 'stats', [['get', 'stats']]],
  ['GET', 'metrics', [['get', 'metrics']]],
  ['GET', 'logs', [['get', 'log']]],
  ['POST', 'checkpoint', [['create', 'checkpoint']]],
  ['GET', 'pods', [['get', 'pods', 'proxy']]],
  ['GET', 'runningpods', [['get', 'pods', 'proxy']]],
  ['GET', 'healthz', [['get', 'healthz', 'proxy']]],
  ['GET', 'configz', [['get', 'configz', 'proxy']]],
  ['GET', 'containerLogs', [['get', 'proxy']]],
  ['GET', 'whatever', [['get', 'proxy']]],
  ['POST', 'exec', [['create', 'proxy']]],
  [
    'GET',
    'exec',
    [
      ['get', 'proxy'],
      ['create', 'proxy'],
    ],
  ],
  [
    'GET',
    'portForward',
    [
      ['get', 'proxy'],
      ['create', 'proxy'],
    ],
  ],
])('%s /%s', (method, start, expected) => {
  const questions = questionsOf(method, start)
  expect(questions.map(({ verb, subresources }) => [verb, ...subresources])).toEqual(expected)
})
