"""Bar charts as SVG, written by hand."""
import math
import xml.sax.saxutils

# The product's own bars stand out; floors and peers are grey.
COLOURS = {"poold-unix": "#1f6feb", "poold-grpc": "#4393f8", "poold-tcp": "#79b8ff", "poold-unary": "#b6d4fe"}
OTHER = "#8b949e"
LABEL, BAR, NUMBER, ROW, GAP, TOP = 250, 380, 110, 18, 12, 34


def short(number):
    """A number for people, with three digits."""
    for factor, unit in ((1e6, " M"), (1e3, " k")):
        if abs(number) >= factor * 10 or (factor == 1e6 and abs(number) >= factor):
            return f"{number / factor:.3g}{unit}"
    return f"{number:.3g}" if abs(number) < 1000 else f"{number:.0f}"


def text(x, y, words, **attributes):
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x}" y="{y}"{more}>{xml.sax.saxutils.escape(words)}</text>'


def bars(title, groups):
    """A chart of `groups`: (name of the group, [(label, median, least, most)]), on one logarithmic scale."""
    values = [value for _, rows in groups for row in rows for value in row[1:] if value > 0]
    low = 10 ** math.floor(math.log10(min(values)) - 0.01)
    high = max(values)
    span = math.log10(high / low) or 1

    def at(value):
        return BAR * max(0.0, math.log10(value / low)) / span if value > 0 else 0

    parts, y = [], TOP
    for name, rows in groups:
        if name:
            parts.append(text(8, y + 12, name, font_weight="bold"))
            y += ROW
        for label, median, least, most in rows:
            middle = y + ROW / 2
            parts.append(text(LABEL - 8, y + 13, label, text_anchor="end"))
            parts.append(f'<rect x="{LABEL}" y="{y + 2}" width="{at(median):.1f}" height="{ROW - 4}" '
                         f'fill="{COLOURS.get(label, OTHER)}"/>')
            parts.append(f'<line x1="{LABEL + at(least):.1f}" x2="{LABEL + at(most):.1f}" y1="{middle}" y2="{middle}" '
                         'stroke="#24292f"/>')
            parts.append(text(LABEL + max(at(median), at(most)) + 6, y + 13, short(median)))
            y += ROW
        y += GAP
    width = LABEL + BAR + NUMBER
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" viewBox="0 0 {width} {y}" '
            'font-family="sans-serif" font-size="12" fill="#24292f">')
    back = f'<rect width="{width}" height="{y}" fill="#ffffff"/>'
    return "\n".join([head, back, text(8, 20, title, font_size="14", font_weight="bold"), *parts, "</svg>\n"])
