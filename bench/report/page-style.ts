/** The page's look. Colours are told apart in light and dark, and by people who see fewer of them. */
export const style = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6570; --line: #e3e6ea; --paper: #ffffff; --bar: #b4bdc8; --ours: #0b6bcb; --good: #12703a; --bad: #b3261e;
  --c0: #6b7480; --c1: #d1662a; --c2: #8a5cc7; --c3: #b0892b; --c4: #0b6bcb; --c5: #1aa5a0; --c6: #c2418b; --c7: #5f8f2e; --c8: #8c6d5a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #9aa4b0; --line: #2c333b; --paper: #14181d; --bar: #55606d; --ours: #58a6ff; --good: #56c271; --bad: #ff7b72;
  --c0: #98a2ae; --c1: #f0935a; --c2: #b490ea; --c3: #d9b85a; --c4: #58a6ff; --c5: #4fd1c9; --c6: #ef7fbb; --c7: #9ccb63; --c8: #c4a591; } }
body { margin: 2rem auto; max-width: 68rem; padding: 0 1rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .25rem; } p { margin: .25rem 0 .75rem; color: var(--soft); }
a { color: var(--ours); }
figure { margin: 1rem 0; } figcaption { font-size: .85rem; color: var(--soft); margin-bottom: .25rem; }
svg { width: 100%; height: auto; display: block; font: 12px system-ui, sans-serif; fill: var(--ink); }
svg .grid { stroke: var(--line); fill: none; } svg .tick { fill: var(--soft); font-size: 11px; } svg .note { font-variant-numeric: tabular-nums; }
svg .bar { fill: var(--bar); } svg .bar.ours { fill: var(--ours); } svg text.ours { font-weight: 600; } svg .whisker { stroke: var(--ink); fill: none; }
svg .line { fill: none; stroke-width: 1.5; } svg .line.ours { stroke-width: 3; }
.c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); } .c4 { --c: var(--c4); } .c5 { --c: var(--c5); } .c6 { --c: var(--c6); } .c7 { --c: var(--c7); } .c8 { --c: var(--c8); }
svg .line { stroke: var(--c); } .swatch { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; margin-right: .35rem; background: var(--c); vertical-align: -1px; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; margin: .25rem 0; font-size: .85rem; }
.contents { columns: 2; font-size: .9rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { text-align: right; padding: .2rem .55rem; border-bottom: 1px solid var(--line); } th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 500; }
tr.good td:last-child { color: var(--good); } tr.bad td:last-child, p.bad { color: var(--bad); }
`
