import { expect, test } from 'vitest'
import { type ServerView, serverSteps } from './sidecar-steps.ts'

const accepts = { address: '127.0.0.1:9001', state: null, meshed: false, failure: null }
const a: ServerView = { workload: 'shop/a', tried: accepts }
const silent: ServerView = { workload: 'shop/b', tried: undefined }

test('applications accept only as far as their sidecars could be asked', () => {
  const seen = (...views: readonly ServerView[]) =>
    serverSteps(views).map(({ id, outcome, message }) => [id, outcome, message])
  expect(seen(a)).toEqual([['APPLICATION_LISTENS', 'ok', 'the applications accept connections']])
  const unknown = 'not known whether the application of shop/b listens: its sidecar does not answer from here'
  expect(seen(a, silent)).toEqual([
    ['APPLICATION_LISTENS', 'ok', 'the others accept connections'],
    ['APPLICATION_NOT_ASKED', 'unknown', unknown],
  ])
  expect(seen(silent)).toEqual([['APPLICATION_NOT_ASKED', 'unknown', unknown]])
})
