import { expect, test } from 'vitest'
import { maxBatchSpans, SpanBatch } from './span-batch.ts'

const around = { open: '{"spans":[', close: ']}' }
const spansOf = (batch: SpanBatch): readonly unknown[] =>
  (JSON.parse(batch.body().toString()) as { readonly spans: readonly unknown[] }).spans

test('is the body of a request, however many spans it has', () => {
  const batch = new SpanBatch(around)
  for (const text of ['{"name":"\u00e9"}', '{}']) expect(batch.add(text)).toBe(true)
  expect(spansOf(batch)).toEqual([{ name: '\u00e9' }, {}])
})

test('can be filled again', () => {
  const batch = new SpanBatch(around)
  batch.add('"a"')
  batch.body()
  batch.clear()
  batch.add('"b"')
  expect([batch.spans, spansOf(batch)]).toEqual([1, ['b']])
})

test('takes no more spans than one request may have, and no more bytes', () => {
  const many = new SpanBatch(around)
  while (many.add('{}'));
  expect([many.full, many.spans]).toEqual([true, maxBatchSpans])
  const large = new SpanBatch(around)
  while (large.add(`"${'\u20ac'.repeat(1_000)}"`));
  expect(large.full).toBe(false)
  expect(spansOf(large)).toHaveLength(large.spans)
  expect(large.body().length).toBeLessThanOrEqual(256 * 1024)
})
