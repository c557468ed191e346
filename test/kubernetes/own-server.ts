/** Some tests kill, throttle or cut off the API server, or read its audit log: that is done to one of their own only. */
import { test } from 'vitest'
import { foreignKubeconfig } from '../support/foreign-cluster.ts'

/** `test`, but skipped where KUBECONFIG names somebody's cluster. */
export const testOwnServer = test.skipIf(foreignKubeconfig !== '')
