type Props = {
  readonly label: string
  readonly value: string
  readonly onInput: (value: string) => void
}

export function SearchBox({ label, value, onInput }: Props) {
  return (
    <label class="search">
      <span class="hidden">{label}</span>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="7" cy="7" r="4.5" />
        <path d="m10.5 10.5 3.5 3.5" />
      </svg>
      <input
        type="search"
        placeholder={label}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </label>
  )
}
