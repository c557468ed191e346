/** Pods are joined to this process's own network, which therefore may not be the machine's. */
import { readlinkSync } from 'node:fs'
import { describe } from 'vitest'
import { foreignKubeconfig } from '../../support/foreign-cluster.ts'
import { describeWith } from '../../system/requirements.ts'

function isOfMachine(): boolean {
  try {
    return readlinkSync('/proc/self/ns/net') === readlinkSync('/proc/1/ns/net')
  } catch {
    // Not root, which is told as what is missing.
    return false
  }
}

/** `describeWith`, run by `npm run test:kubernetes`; with a cluster of somebody else's the pods are its own kubelets' affair. */
export function describeInOwnNetwork(tools: readonly string[], name: string, body: () => void): void {
  if (foreignKubeconfig !== '')
    describe.skip(`${name}: KUBECONFIG names a cluster, whose nodes run its pods`, body)
  else if (isOfMachine()) describeWith(['a network of its own (npm run test:kubernetes)'], name, body)
  else describeWith(tools, name, body)
}
