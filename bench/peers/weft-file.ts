import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { freePorts } from '../../cli/demo/ports.ts'
import type { Peer } from '../peer.ts'
import { bootstrapJson } from './bootstrap.ts'
import { type Launched, type Side, startSides } from './sides.ts'
import { launchWeft, weftVersion } from './weft-process.ts'

async function launch(side: Side): Promise<Launched> {
  const [adminPort] = (await freePorts(1)) as [number]
  const file = path.join(side.folder, `${side.role}.json`)
  writeFileSync(file, bootstrapJson(side, adminPort))
  return launchWeft('proxy', adminPort, { bootstrap: file })
}

/** The sidecar without a mesh, from the file that Envoy runs from. */
export const weftFile: Peer = {
  name: 'weft-file',
  topologies: ['plain', 'pair', 'tls-server'],
  protocols: ['http1'],
  available: () => true,
  version: weftVersion,
  start: (setup) => startSides(setup, launch),
}
