/** Asks the member of this pod whether it is well: `node ready.ts PORT` ends with 0 if it is. */
import net from 'node:net'

const socket = net.connect(Number(process.argv[2]), '127.0.0.1')
socket.on('error', () => process.exit(1))
socket.on('data', (piece) => process.exit(piece.toString().trim() === 'imok' ? 0 : 1))
socket.write('ruok\n')
