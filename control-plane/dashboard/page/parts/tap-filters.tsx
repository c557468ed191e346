/** What a tap shows, as a form; empty fields let everything through. */
type Props = {
  readonly running: boolean
  readonly hasRows: boolean
  readonly onStart: (query: URLSearchParams) => void
  readonly onStop: () => void
  readonly onClear: () => void
}
type Field = {
  readonly name: string
  readonly label: string
  readonly hint: string
  readonly numeric?: boolean
}

const fields: readonly Field[] = [
  { name: 'namespace', label: 'Namespace', hint: 'shop' },
  { name: 'workload', label: 'Workload', hint: 'catalog' },
  { name: 'pathPrefix', label: 'Path begins with', hint: '/orders' },
  { name: 'status', label: 'Status', hint: '503 or 5xx' },
  { name: 'grpcStatus', label: 'Status of gRPC', hint: 'UNAVAILABLE or failed' },
  { name: 'minMs', label: 'Slower than, ms', hint: '100', numeric: true },
  { name: 'peer', label: 'Peer', hint: 'spiffe://…' },
]
const methods = ['', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT'] as const
const directions = [
  { value: '', text: 'both' },
  { value: 'outbound', text: "client's" },
  { value: 'inbound', text: "server's" },
] as const

/** Empty fields are no filter. */
function queryOf(form: HTMLFormElement): URLSearchParams {
  const query = new URLSearchParams()
  for (const [name, value] of new FormData(form))
    if (typeof value === 'string' && value.trim() !== '') query.set(name, value.trim())
  return query
}

export function TapFilters({ running, hasRows, onStart, onStop, onClear }: Props) {
  return (
    <form
      class="tap-filters card"
      onSubmit={(event) => {
        event.preventDefault()
        onStart(queryOf(event.currentTarget))
      }}
    >
      {fields.map(({ name, label, hint, numeric }) => (
        <label key={name}>
          {label}
          <input
            name={name}
            placeholder={`like ${hint}`}
            autocomplete="off"
            spellcheck={false}
            {...(numeric === true ? { inputMode: 'decimal' as const, pattern: '[0-9]*[.]?[0-9]*' } : {})}
          />
        </label>
      ))}
      <label>
        Method
        <select name="method">
          {methods.map((method) => (
            <option key={method} value={method}>
              {method === '' ? 'any' : method}
            </option>
          ))}
        </select>
      </label>
      <label>
        Seen by
        <select name="direction">
          {directions.map(({ value, text }) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <div class="buttons">
        <button type="submit" class="primary">
          {running ? 'Start anew' : 'Start'}
        </button>
        <button type="button" onClick={onStop} disabled={!running}>
          Stop
        </button>
        <button type="button" onClick={onClear} disabled={!hasRows}>
          Clear
        </button>
      </div>
    </form>
  )
}
