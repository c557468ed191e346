/** Changes a request's headers before it is sent on. Absent from the chain of a route that changes none. */
import type { HeaderList } from '../header-list.ts'
import type { Layer } from '../layer.ts'

export function requestHeaders(edit: (headers: HeaderList) => void): Layer {
  return (next) =>
    function editRequest(x, receiver) {
      edit(x.headers)
      next(x, receiver)
    }
}
