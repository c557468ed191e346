/** RFC 6902 as an API server applies it, strict: a parent that is not there is an error. For tests. */
import type { PatchOperation } from './patch.ts'

type Node = Record<string, unknown> | unknown[]

function steps(path: string): readonly string[] {
  if (path !== '' && !path.startsWith('/')) throw new Error(`${path} is no JSON pointer`)
  return path
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function indexOf(list: readonly unknown[], step: string, most: number): number {
  if (!/^(0|[1-9]\d*)$/.test(step) || Number(step) > most)
    throw new Error(`no place ${step} in ${list.length}`)
  return Number(step)
}

function child(node: unknown, step: string): unknown {
  if (Array.isArray(node)) return node[indexOf(node, step, node.length - 1)]
  if (typeof node !== 'object' || node === null || !Object.hasOwn(node, step)) throw new Error(`no ${step}`)
  return (node as Record<string, unknown>)[step]
}

function change(node: Node, last: string, operation: PatchOperation): void {
  if (operation.op !== 'add') child(node, last)
  if (Array.isArray(node)) {
    const index = indexOf(node, last, node.length)
    if (operation.op === 'remove') node.splice(index, 1)
    else node.splice(index, operation.op === 'add' ? 0 : 1, operation.value)
  } else if (operation.op === 'remove') {
    delete node[last]
  } else {
    // Not an assignment: that would set a prototype by the name of `__proto__`.
    const value = operation.value
    Object.defineProperty(node, last, { value, enumerable: true, configurable: true, writable: true })
  }
}

/** A copy of `document` with all operations applied; throws when one cannot be. */
export function applyPatch(document: unknown, operations: readonly PatchOperation[]): unknown {
  const root = { document: JSON.parse(JSON.stringify(document)) as unknown }
  for (const operation of JSON.parse(JSON.stringify(operations)) as PatchOperation[]) {
    const path = ['document', ...steps(operation.path)]
    let node: unknown = root
    for (const step of path.slice(0, -1)) node = child(node, step)
    change(node as Node, path.at(-1) as string, operation)
  }
  return root.document
}
