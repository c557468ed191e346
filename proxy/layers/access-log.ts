/** One line per exchange, when its last byte was written. There also when it is off, as it can be switched on. */
import type { Layer } from '../layer.ts'
import type { AccessLog } from '../telemetry/access-log.ts'

export function accessLog(log: AccessLog): Layer {
  return (next) =>
    function logExchange(x, receiver) {
      log.watch(x)
      next(x, receiver)
    }
}
