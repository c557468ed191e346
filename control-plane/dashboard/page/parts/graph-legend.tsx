export function GraphLegend() {
  return (
    <ul class="graph-legend" aria-label="What the lines mean">
      <li>
        <i class="sample good" /> ≥ 99 % success
      </li>
      <li>
        <i class="sample warning" /> ≥ 95 %
      </li>
      <li>
        <i class="sample bad" /> below
      </li>
      <li>
        <i class="sample clear" /> not all mTLS
      </li>
      <li>
        <i class="sample split" /> split
      </li>
    </ul>
  )
}
