import { expect, test } from 'vitest'
import { historyMs, ShareHistory } from './share-history.ts'
import { noFigures } from './figures.ts'
import type { SplitFigures } from './split-figures.ts'

function card(observed: number): SplitFigures {
  const backend = { key: 'shop/v1', name: 'v1', configured: 0.5, observed, figures: noFigures, remark: '' }
  return { object: 'TrafficSplit shop/a', port: 80, remark: '', backends: [backend] }
}

test('each moment is kept once, and for three minutes', () => {
  const history = new ShareHistory()
  history.add([card(0.1)], 1_000)
  history.add([card(0.2)], 2_000)
  history.add([card(0.9)], 2_000)
  expect(history.of(card(0)).map(({ shares }) => shares.get('shop/v1')?.observed)).toEqual([0.1, 0.2])
  history.add([card(0.3)], 1_500 + historyMs)
  expect(history.of(card(0)).map(({ atMs }) => atMs)).toEqual([2_000, 1_500 + historyMs])
})
