/** The list of differences is what it says: each example differs, and its own entry alone explains it. */
import { describe, expect, test } from 'vitest'
import { compareRequests, compareResponses } from './differential.ts'
import { requestDifferences } from './request-differences.ts'
import { responseDifferences } from './response-differences.ts'

const names = (entries: readonly { readonly name: string }[]): readonly string[] =>
  entries.map(({ name }) => name)

describe('a request on which Node and we differ', () => {
  test.each(requestDifferences.map((entry) => [entry.name, entry] as const))(
    '%s',
    async (name, { example }) => {
      expect(names(await compareRequests([example]))).toEqual([name])
    },
  )
})

describe('a response on which Node and we differ', () => {
  const asked = { method: 'GET', upgrade: undefined }
  test.each(responseDifferences.map((entry) => [entry.name, entry] as const))(
    '%s',
    async (name, { example }) => {
      const request = name.startsWith('HEAD ') ? { ...asked, method: 'HEAD' } : asked
      expect(names(await compareResponses([example], request))).toEqual([name])
    },
  )
})
