/** Style of the page: light and dark, narrow and wide, print. No script, font or external image. */

export const STYLE = `
:root { color-scheme: light dark;
  --paper: light-dark(#f6f7f9, #14171c); --card: light-dark(#ffffff, #1c2027); --ink: light-dark(#1b2129, #e6e9ee);
  --soft: light-dark(#5b6573, #98a2b1); --line: light-dark(#dfe3e9, #2e343e); --hover: light-dark(#f0f3f7, #242a33);
  --critical: light-dark(#a3122b, #ff6b81); --high: light-dark(#a8370a, #ff9355); --medium: light-dark(#80590a, #eec15a);
  --low: light-dark(#1d66a6, #6bb3f2); --info: light-dark(#59636f, #98a2b1); --pass: light-dark(#1d6d35, #5fce82);
  --critical-bg: light-dark(#fbdfe3, #4a1620); --high-bg: light-dark(#fde5d6, #4a2410); --medium-bg: light-dark(#fbf0cd, #40330e);
  --low-bg: light-dark(#ddecfa, #15324b); --info-bg: light-dark(#e9ecf0, #2a3039); --pass-bg: light-dark(#e2f4e6, #153321); }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 28px 24px 60px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -.01em; }
h2 { font-size: 18px; margin: 40px 0 12px; letter-spacing: -.005em; }
h3 { font-size: 15px; margin: 0; }
h2, p, li, .total { overflow-wrap: anywhere; } p { margin: 0 0 8px; } a { color: inherit; } code, .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .88em; }
.soft { color: var(--soft); } .small { font-size: 13px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(270px, 1fr)); gap: 14px; }
.host { padding: 14px 16px; display: grid; grid-template-columns: 68px 1fr; gap: 14px; align-items: center; text-decoration: none; }
.host:hover { border-color: var(--soft); } .host b { display: block; overflow-wrap: anywhere; line-height: 1.3; }
.ring { width: 68px; height: 68px; } .ring circle { fill: none; stroke-width: 7; } .ring .track { stroke: var(--line); }
.ring text { font: 700 19px system-ui, sans-serif; fill: var(--ink); text-anchor: middle; } .ring .grade { font: 600 10px system-ui, sans-serif; fill: var(--soft); }
.good { stroke: var(--pass); } .fair { stroke: var(--medium); } .poor { stroke: var(--critical); }
.pills { display: flex; flex-wrap: wrap; gap: 4px; margin-top: 6px; }
.pill { border-radius: 99px; padding: 0 8px; font-size: 12px; line-height: 20px; font-weight: 600; white-space: nowrap; }
.critical { color: var(--critical); background: var(--critical-bg); } .high { color: var(--high); background: var(--high-bg); }
.medium { color: var(--medium); background: var(--medium-bg); } .low { color: var(--low); background: var(--low-bg); }
.info { color: var(--info); background: var(--info-bg); } .pass { color: var(--pass); background: var(--pass-bg); }
.totals { display: flex; flex-wrap: wrap; gap: 10px; margin: 18px 0 22px; }
.total { padding: 10px 16px; min-width: 104px; } .total b { display: block; font-size: 24px; line-height: 1.15; font-variant-numeric: tabular-nums; }
.choice { display: flex; flex-wrap: wrap; gap: 6px 16px; align-items: center; margin: 0 0 10px; font-size: 13px; } .choice label { cursor: pointer; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: 12px; margin: 0 0 10px; }
.scroll { overflow: auto; max-height: 82vh; } table { border-collapse: collapse; width: 100%; }
th, td { overflow-wrap: break-word; text-align: left; padding: 6px 12px; vertical-align: top; border-bottom: 1px solid var(--line); } tr:last-child > td, tr:not(:has(~ tr > th)) > th { border-bottom: 0; }
thead th { font-size: 12px; color: var(--soft); font-weight: 600; }
.matrix { border-collapse: separate; border-spacing: 0; width: auto; min-width: 100%; font-size: 13px; }
.matrix thead th { position: sticky; top: 0; background: var(--card); z-index: 2; vertical-align: bottom; padding: 10px 2px; }
.matrix thead th:first-child { left: 0; z-index: 3; padding-left: 14px; } .matrix thead span { display: block; writing-mode: vertical-rl; transform: rotate(180deg); max-height: 150px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; margin: 0 auto; color: var(--ink); }
.matrix tbody th { position: sticky; left: 0; background: var(--card); z-index: 1; font-weight: 400; padding: 3px 14px; width: 100%; min-width: 260px; } .matrix tbody th code { display: inline-block; min-width: 112px; padding-right: 8px; color: var(--soft); }
.matrix tr:hover > * { background: var(--hover); } .matrix .group th { font-weight: 700; padding-top: 14px; } .matrix .group:hover > * { background: var(--card); }
.matrix td { padding: 3px 2px; text-align: center; min-width: 34px; } .cell { display: inline-block; width: 24px; text-align: center; line-height: 20px; border-radius: 5px; font-size: 11px; font-weight: 700; text-decoration: none; }
.cell.none { color: var(--soft); font-weight: 400; } .cell.pass { background: none; } .cell.accepted { background: none; outline: 1px dashed currentColor; outline-offset: -2px; }
body:has(#only-findings:checked) .matrix .quiet { display: none; }
.time { padding: 14px 16px; } .lane { display: grid; grid-template-columns: minmax(160px, 290px) 1fr 118px; gap: 14px; align-items: center; padding: 4px 0; font-size: 13px; } .lane > :first-child { overflow-wrap: anywhere; line-height: 1.3; }
.track { position: relative; height: 22px; border-radius: 5px; background: var(--hover); overflow: hidden; } .bar { position: absolute; top: 3px; bottom: 3px; border-radius: 4px; min-width: 3px; background: var(--pass); opacity: .85; }
.bar.soon { background: var(--medium); } .bar.over { background: var(--critical); } .now { position: absolute; top: 0; bottom: 0; width: 2px; background: var(--ink); }
.lane .left { font-size: 12px; white-space: nowrap; } .axis .track { background: none; height: 18px; overflow: visible; } .axis .track i { position: absolute; top: 1px; font-style: normal; font-size: 12px; line-height: 20px; transform: translateX(-50%); color: var(--soft); white-space: nowrap; }
.axis .track i.first { transform: none; } .axis .track i.last { transform: translateX(-100%); }
.evidence { margin: 0 0 14px; } .evidence th { width: 240px; font-weight: 600; } .evidence td { overflow-wrap: anywhere; }
.time + .scroll { margin-top: 12px; } .root { width: 100%; height: auto; font: 12.5px system-ui, sans-serif; } .root rect { fill: var(--hover); stroke: var(--line); } .root text { fill: var(--ink); } .root path { fill: none; stroke: var(--soft); stroke-width: 1.4; opacity: .6; }
.root .grave rect { fill: var(--critical-bg); stroke: var(--critical); } .root path.grave { stroke: var(--critical); opacity: .9; } .root .goal rect { fill: var(--card); stroke: var(--ink); stroke-width: 2; }
td.grave { background: var(--critical-bg); }
section.harden { margin: 18px 0; } .harden h2 { margin-top: 0; } .harden h3 { margin: 18px 0 4px; } .harden ul { margin: 4px 0; } .harden .cards + p { margin-top: 14px; } .harden li { overflow-wrap: anywhere; }
details.subject { margin: 0 0 14px; } details.subject > summary { padding: 12px 16px; cursor: pointer; font-weight: 600; overflow-wrap: anywhere; } details.subject > summary span { font-weight: 400; }
.finding { padding: 12px 16px; border-top: 1px solid var(--line); display: grid; grid-template-columns: 78px minmax(0, 1fr); gap: 4px 14px; } .finding:target { background: var(--hover); }
.finding > .pill { justify-self: start; align-self: start; } .finding ul { margin: 4px 0 6px; padding: 0 0 0 18px; } .finding li { overflow-wrap: anywhere; } .finding .fix { border-left: 3px solid var(--line); padding-left: 10px; margin-top: 4px; overflow-wrap: anywhere; }
.command { margin: 6px 0 2px; padding: 5px 10px; border-radius: 6px; background: var(--hover); border: 1px solid var(--line); overflow-x: auto; white-space: pre; user-select: all; font: 12px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; } .again { color: var(--soft); }
.finding h3 code { color: var(--soft); font-weight: 400; margin-right: 8px; }
footer { margin-top: 40px; color: var(--soft); font-size: 13px; }
.ways td, .ways th { overflow-wrap: anywhere; } .stack .command { white-space: pre-wrap; overflow-wrap: anywhere; } @media (max-width: 640px) { .command { white-space: pre-wrap; overflow-wrap: anywhere; } main { padding: 18px 12px 40px; } .finding { grid-template-columns: minmax(0, 1fr); } .lane { grid-template-columns: 1fr 104px; gap: 2px 10px; } .lane > :first-child { grid-column: 1 / -1; } th, td { padding: 6px 8px; } .axis .track i.middle { display: none; }
  .stack thead { display: none; } .stack, .stack tbody, .stack tr, .stack th, .stack td { display: block; } .stack td, .stack th { border-bottom: 0; padding-bottom: 0; } .stack tr { padding-bottom: 8px; border-bottom: 1px solid var(--line); }
  .matrix tbody th { min-width: 190px; padding: 3px 8px; } .matrix tbody th code { display: block; } }
@media print { :root { color-scheme: light; } body { background: #fff; font-size: 11px; } main { max-width: none; padding: 0; } h2 { margin-top: 22px; break-after: avoid; }
  .choice { display: none !important; } .legend { display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: 12px; margin: 0 0 10px; }
.scroll { max-height: none; overflow: visible; } .matrix thead th, .matrix tbody th { position: static; } .matrix thead { display: table-header-group; } .matrix tbody th { min-width: 0; }
  .command { white-space: pre-wrap; }
  @page { margin: 14mm; } #evidence { break-before: page; } .evidence { break-inside: avoid; } pre.command { white-space: pre-wrap; }
  .card, .finding, .host, tr { break-inside: avoid; } .scroll { break-inside: auto; } .legend, h2 + p { break-after: avoid; } details.subject { break-inside: auto; } .matrix .quiet { display: none; } * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } a { text-decoration: none; } }
`;
