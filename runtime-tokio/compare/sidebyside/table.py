"""The rows as a table: for people, aligned, and for programs."""

from .rows import Over

PAINT = {"good": "\033[32m", "bad": "\033[31m", "title": "\033[1m"}
PLAIN = "\033[0m"
# Differences smaller than this are none.
ALIKE = 0.05


def number(value):
    """A figure with three significant digits, or all digits before the point; what is missing is a dash."""
    if value is None:
        return "-"
    if isinstance(value, Over):
        return f"> {number(value.limit)}"
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}" if abs(value) >= 10_000 else str(int(value))
    if abs(value) >= 100:
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.0f}"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3 if abs(value) >= 0.1 else 4
    return f"{value:.{digits}f}"


def ratio(row):
    """Ours over Serf's, as text."""
    value = row.ratio()
    if value is None:
        return ""
    below = "< " if isinstance(row.values["serf"], Over) else ""
    return below + (f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.01 else f"{value:.4f}")


def verdict(row):
    """`good` where ours is better, `bad` where it is worse, else nothing."""
    serf, rumor = row.values["serf"], row.values["rumor"]
    if not row.better or serf is None or rumor is None:
        return ""
    if isinstance(rumor, Over) or isinstance(serf, Over):
        return "" if type(rumor) is type(serf) else "bad" if isinstance(rumor, Over) else "good"
    if abs(rumor - serf) <= ALIKE * max(abs(rumor), abs(serf)):
        return ""
    return "good" if (rumor < serf) == (row.better == "less") else "bad"


def label(row):
    """What it is, with its unit."""
    return f"{row.label}, {row.unit}" if row.unit else row.label


def text(rows, colour=False):
    """The table with aligned columns, a title above each section."""
    cells = [(row, [label(row), number(row.values["serf"]), number(row.values["rumor"]), ratio(row)]) for row in rows]
    head = ["", "serf", "rumor", "rumor / serf"]
    widths = [max([len(head[i]), *(len(cell[i]) for _, cell in cells)]) for i in range(4)]
    if cells:
        widths[0] += 2

    def line(words, paint=""):
        out = words[0].ljust(widths[0]) + "".join("  " + word.rjust(width) for word, width in zip(words[1:], widths[1:]))
        return f"{PAINT[paint]}{out.rstrip()}{PLAIN}" if colour and paint else out.rstrip()

    lines, section = [line(head, "title")], None
    for row, cell in cells:
        if row.section != section:
            section = row.section
            lines.append(line([section, "", "", ""], "title"))
        lines.append(line(["  " + cell[0], *cell[1:]], verdict(row)))
    return "\n".join(lines)


def plain(value):
    """A figure for JSON: a number, nothing, or `{"over": limit}`."""
    return {"over": value.limit} if isinstance(value, Over) else value


def objects(rows):
    """The rows as JSON has them."""
    return [
        {
            "key": row.key,
            "section": row.section,
            "label": row.label,
            "unit": row.unit,
            "better": row.better,
            "serf": plain(row.values["serf"]),
            "rumor": plain(row.values["rumor"]),
            "ratio": row.ratio(),
        }
        for row in rows
    ]
