"""The chart of README, an SVG drawn from the bench's JSON: throughput of every server as a share of raw TCP's."""
from xml.sax.saxutils import escape

NAMES = {"wsd": "wsd", "uws": "uWebSockets", "libwebsockets": "libwebsockets", "beast": "Boost.Beast",
         "websocketpp": "websocketpp", "ws": "npm ws"}
COLOURS = {"wsd": "#0b6e4f", "uws": "#e07a1f", "libwebsockets": "#5b7db1", "beast": "#9a86b5",
           "websocketpp": "#b5a886", "ws": "#b0b0b0"}
WIDTH, LABEL, RIGHT = 860, 230, 70
BAR, GAP, TOP = 9, 12, 84
FULL = 1.1  # the share at the right end


def rows_of(data):
    return [row for row in data["rows"]
            if row["group"] == "echo" and any("share_of_raw" in s for s in row["servers"].values())]


def x_of(share):
    return LABEL + (WIDTH - LABEL - RIGHT) * min(share, FULL) / FULL


def text(x, y, words, size=12, more=""):
    return '<text x="%.1f" y="%.1f" font-size="%d"%s>%s</text>' % (x, y, size, more and " " + more, escape(words))


def legend(names):
    x = LABEL
    for name in names:
        yield '<rect x="%d" y="38" width="11" height="11" fill="%s"/>' % (x, COLOURS[name])
        yield text(x + 15, 48, NAMES[name])
        x += 24 + 7 * len(NAMES[name])


def scale(bottom):
    for percent in (0, 25, 50, 75, 100):
        x = x_of(percent / 100)
        colour = "#444" if percent == 100 else "#ddd"
        yield '<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="%s"/>' % (x, TOP - 8, x, bottom, colour)
        yield text(x, TOP - 14, "%d %%" % percent, 11, 'text-anchor="middle" fill="#444"')


def bars(row, names, y):
    shown = [name for name in names if "share_of_raw" in row["servers"].get(name, {})]
    yield text(LABEL - 10, y + BAR * len(shown) / 2 + 4, row["cell"], 12, 'text-anchor="end"')
    for i, name in enumerate(shown):
        share = row["servers"][name]["share_of_raw"]
        yield '<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>' % (
            LABEL, y + i * BAR, x_of(share) - LABEL, BAR - 1, COLOURS[name])
        if name == "wsd":
            beside = max(share, 1) if share > 0.93 else share  # not across the line
            yield text(x_of(beside) + 5, y + BAR - 1, "%.0f %%" % (100 * share), 10, 'fill="%s"' % COLOURS[name])


def draw(data):
    """The whole picture; one without bars where no echo was measured."""
    rows = rows_of(data)
    names = [name for name in NAMES if any("share_of_raw" in row["servers"].get(name, {}) for row in rows)]
    parts, y = [], TOP
    for row in rows:
        parts += bars(row, names, y)
        y += BAR * sum("share_of_raw" in row["servers"].get(name, {}) for name in names) + GAP
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d"' % (WIDTH, y, WIDTH, y)
    lines = [head + ' font-family="sans-serif" fill="#222">',
             '<rect width="100%" height="100%" fill="#fff"/>',
             text(10, 24, "Messages a second, as a share of a plain TCP echo's", 15, 'font-weight="bold"'),
             *legend(names), *scale(y - GAP), *parts, "</svg>"]
    return "\n".join(lines) + "\n"
