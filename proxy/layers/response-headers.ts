/** Changes the headers of the replies that come from below. Absent from the chain of a route that changes none. */
import type { HeaderList } from '../header-list.ts'
import type { Layer } from '../layer.ts'
import { ReplyEditor } from '../route/reply-editor.ts'

export function responseHeaders(edit: (headers: HeaderList) => void): Layer {
  return (next) =>
    function editReplies(x, receiver) {
      next(x, new ReplyEditor(receiver, edit))
    }
}
