/**
 * A server that speaks first, as MySQL's does, and then repeats what it is told.
 *   node greeting-application.ts PORT GREETING
 */
import net from 'node:net'
import { exitWithParent } from '../../core/exit-with-parent.ts'

const [port = '0', greeting = ''] = process.argv.slice(2)
exitWithParent(process.env)
net
  .createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.write(`${greeting}\n`)
    socket.pipe(socket)
  })
  .listen(Number(port), '0.0.0.0')
