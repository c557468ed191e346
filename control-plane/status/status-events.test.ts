import { expect, it } from 'vitest'
import { controllerName } from './merged-status.ts'
import { statusEvents } from './status-events.ts'

const condition = (type: string, status: string, reason: string, message = '') => ({
  type,
  status,
  reason,
  message,
})
const well = condition('ResolvedRefs', 'True', 'ResolvedRefs')
const broken = condition('ResolvedRefs', 'False', 'BackendUnknown', "backend 'v3' is no Service")
const warning = { type: 'Warning', reason: 'BackendUnknown', message: "backend 'v3' is no Service" }
const resolved = { type: 'Normal', reason: 'Resolved', message: 'ResolvedRefs: no longer BackendUnknown' }

it.each<[string, readonly object[] | undefined, readonly object[], readonly object[]]>([
  ['new and in order', undefined, [well], []],
  ['new and wrong', undefined, [broken], [warning]],
  ['wrong now', [well], [broken], [warning]],
  ['as wrong as before', [broken], [broken], []],
  ['wrong for another reason', [{ ...broken, reason: 'BackendWithoutPort' }], [broken], [warning]],
  ['right again', [broken], [well], [resolved]],
  ["wrong in another controller's eyes", [], [condition('Promoted', 'False', 'Paused')], []],
  [
    'partly wrong',
    [],
    [condition('PartiallyInvalid', 'True', 'UnsupportedValue', 'rules[0]')],
    [{ type: 'Warning', reason: 'UnsupportedValue', message: 'rules[0]' }],
  ],
  [
    'right again where nothing is left to say',
    [condition('PartiallyInvalid', 'True', 'UnsupportedValue', 'rules[0]')],
    [],
    [{ type: 'Normal', reason: 'Resolved', message: 'PartiallyInvalid: no longer UnsupportedValue' }],
  ],
  [
    'not programmed as it is not accepted',
    [],
    [
      condition('Accepted', 'False', 'ApexUnknown', 'm'),
      condition('Programmed', 'False', 'ApexUnknown', 'm'),
    ],
    [{ type: 'Warning', reason: 'ApexUnknown', message: 'm' }],
  ],
])('tells of what is %s', (_what, before, after, events) => {
  expect(
    statusEvents(before === undefined ? undefined : { conditions: before }, { conditions: after }),
  ).toEqual(events)
})

it("tells of a route what its parents say once, and nothing that others' entries say", () => {
  const parent = (name: string, conditions: readonly object[], controller = controllerName) => ({
    parentRef: { kind: 'Service', name },
    controllerName: controller,
    conditions,
  })
  const before = { parents: [parent('a', [well])] }
  const after = {
    parents: [parent('a', [broken]), parent('b', [broken]), parent('c', [broken], 'example.com/other')],
  }
  expect(statusEvents(before, after)).toEqual([warning])
  expect(statusEvents(after, before)).toEqual([resolved])
})
