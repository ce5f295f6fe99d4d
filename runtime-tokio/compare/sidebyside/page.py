"""The result page: one HTML file that needs nothing else."""

from html import escape

from . import bars, table
from .charts import charts

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:1180px;padding:1.5rem;color:#222;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{padding:.15rem .7rem;text-align:right;border-bottom:1px solid #eee}td:first-child,th:first-child{text-align:left}
th.s{padding-top:1rem;background:#f5f5f5}td.l{text-align:left}
.good{color:#16722f}.bad{color:#b3261e;font-weight:600}.held{color:#16722f}.no{color:#b3261e;font-weight:700}.none{color:#777}
.c{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:1rem}
svg{width:100%;height:auto;font:12px system-ui,sans-serif;fill:#222}
svg .t{font-weight:600;font-size:14px}svg .m{text-anchor:middle}svg .e{text-anchor:end}
svg .g{stroke:#e4e4e4;fill:none}svg .a{stroke:#888;fill:none}
code,pre{font-family:ui-monospace,monospace}pre{background:#f5f5f5;padding:.6rem;overflow-x:auto}
"""


def page(results, rows):
    """The page's text."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8"><title>rumor agent beside Serf</title>',
            f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>',
            "<h1>rumor agent beside Serf</h1>",
            _about(results),
            "<h2>What is asked of ours</h2>",
            _bars(rows),
            "<h2>Curves</h2>",
            '<div class="c">' + "\n".join(f"<div>{svg}</div>" for svg in charts(results, rows)) + "</div>",
            "<h2>Table</h2>",
            "<p>Green: ours is better by more than 5 %; red: worse by more than that. <code>&gt; 60</code>: not within 60.</p>",
            _table(rows),
            _failures(results),
            "<h2>Steps</h2>",
            _steps(results),
            "</body></html>",
            "",
        ]
    )


def _about(results):
    about, machine = results.about, results.about["machine"]
    together = sorted({record["kind"] for record in results.records if record["together"]})
    apart = sorted({record["kind"] for record in results.records if not record["together"]})
    words = [
        "<p>Both programs went through the same steps in one run, each step in a network namespace of its own with nothing but its agents on "
        "it: all on 127.0.0.1 with ports of their own, profile lan, log level warn, all other settings as each program has them.</p>",
        f"<p>Serf: <code>{escape(about['versions']['serf'])}</code>. Ours: <code>{escape(about['versions']['rumor'])}</code>.</p>",
        f"<p>Machine: {machine['cores']} cores ({escape(machine['cpu'])}), {machine['memory'] / (1 << 30):.1f} GiB, Linux "
        f"{escape(machine['kernel'])}, {escape(machine['arch'])}. {escape(about['began'])}, {about['took'] / 60:.1f} minutes.</p>",
        f"<pre>{escape(about['command'])}</pre>",
    ]
    if apart:
        words.append(f"<p>One after the other, alternately first: {', '.join(apart)}.</p>")
    if together:
        words.append(
            f"<p>Both at the same time, in two namespaces, as timers set what is measured: {', '.join(together)}. The last table says how busy "
            "the machine was meanwhile.</p>"
        )
    if about["quick"]:
        words.append('<p class="no">A quick run, to see whether the comparison works: its figures say little.</p>')
    if not about["complete"]:
        words.append('<p class="no">The run was ended before all its steps were done.</p>')
    return "\n".join(words)


def _bars(rows):
    words = {True: ("held", "held"), False: ("no", "not held"), None: ("none", "not measured")}
    lines = []
    for bar in bars.bars(rows):
        kind, verdict = words[bar.held]
        observed = "" if bar.held is None else escape(bar.observed)
        lines.append(f'<tr><td>{escape(bar.demand)}</td><td class="l">{observed}</td><td class="{kind}">{verdict}</td></tr>')
    return f'<table><tr><th>demand</th><th class="l">observed</th><th></th></tr>{"".join(lines)}</table>'


def _table(rows):
    lines, section = [], None
    for row in rows:
        if row.section != section:
            section = row.section
            lines.append(f'<tr><th class="s" colspan="4">{escape(section)}</th></tr>')
        figures = [table.number(row.values["serf"]), table.number(row.values["rumor"])]
        cells = "".join(f"<td>{escape(figure)}</td>" for figure in figures)
        lines.append(
            f'<tr><td>{escape(table.label(row))}</td>{cells}<td class="{table.verdict(row)}">{escape(table.ratio(row))}</td></tr>'
        )
    return f"<table><tr><th></th><th>serf</th><th>rumor</th><th>rumor / serf</th></tr>{''.join(lines)}</table>"


def _failures(results):
    failures = results.failures()
    if not failures:
        return ""
    lines = [f"<li>{escape(_title(record))}, {record['program']}: {escape(record['failed'])}</li>" for record in failures]
    return f'<h2 class="no">Steps that gave nothing</h2><ul>{"".join(lines)}</ul>'


def _title(record):
    params = record["params"]
    of = [f"N={params['n']}"] if "n" in params else []
    of += [f"{params['rate']}/s"] if "rate" in params else []
    return " ".join([record["kind"], *of])


def _steps(results):
    """What each step took, and how busy the machine was."""
    lines = []
    for record in results.records:
        load = record["machine"]
        shares = [load["busy"], load["others"], load["steal"]]
        cells = "".join(f"<td>{'-' if share is None else f'{share:.0%}'}</td>" for share in shares)
        how = "together" if record["together"] else f"{record['first']} first"
        lines.append(
            f"<tr><td>{_title(record)}</td><td>{record['program']}</td><td>{how}</td><td>{record['took']:.0f}</td>{cells}</tr>"
        )
    head = "".join(
        f"<th>{word}</th>" for word in ("step", "program", "order", "seconds", "cores busy", "with others", "taken by the host")
    )
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>"
