import { expect, test } from 'vitest'
import { sumOf } from './sidecar-metrics.ts'

test('only samples of the family and with the label are summed', () => {
  const text = [
    '# TYPE request_total counter',
    'request_total{direction="inbound",tls="true"} 3',
    'request_total{direction="inbound",tls="false"} 4',
    'request_total_more{tls="true"} 100',
  ].join('\n')
  expect(sumOf(text, 'request_total')).toBe(7)
  expect(sumOf(text, 'request_total', 'tls="true"')).toBe(3)
})
