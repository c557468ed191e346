/** What crosses a link, recorded by tcpdump. */
import { readFileSync } from 'node:fs'
import type { Network, PodNetwork } from './network.ts'

/** Records `link` of the bridge's namespace into `file` while `act` runs; gives every byte as latin1. */
export async function recorded(
  network: Network,
  pod: PodNetwork,
  file: string,
  act: () => Promise<void> | void,
): Promise<string> {
  const tcpdump = network.start(
    network.hub,
    0,
    'tcpdump',
    '-i',
    pod.link,
    '-U',
    '--immediate-mode',
    '-s',
    '0',
    '-Z',
    'root',
    '-w',
    file,
    'tcp',
  )
  let said = ''
  await new Promise<void>((resolve, reject) => {
    tcpdump.stderr?.on('data', (piece: Buffer) => {
      said += piece.toString()
      if (said.includes('listening on')) resolve()
    })
    tcpdump.once('exit', () => reject(new Error(`tcpdump ended: ${said}`)))
  })
  await act()
  const ended = new Promise((resolve) => tcpdump.once('exit', resolve))
  tcpdump.kill('SIGINT')
  await ended
  return readFileSync(file, 'latin1')
}
