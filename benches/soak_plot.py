"""Draws the rows of a soak as an SVG file: memory, computing or delay, and the clock, one below the other."""

WIDTH, HEIGHT, LEFT, TOP = 800, 210, 60, 34
COLORS = ["#1b6ca8", "#d1603d"]
# Title, columns, names of the curves, least value.
PANELS = [
    ("Memory, MB", ["resident_mb", "own_mb"], ["resident", "the process's own"], 0),
    ("Computing, seconds of one core per second of audio", ["computing"], [""], 0),
    ("From the end of a word to its partial, 95th percentile, ms", ["delay_ms"], [""], 0),
    ("Times of words against the audio, ms", ["shift_ms"], [""], -100),
]


def nice(most):
    """A round number that is not below."""
    step = 10 ** (len(str(int(max(most * 1000, 1)))) - 4)
    return next(step * factor for factor in (1, 2, 5, 10, 20) if step * factor >= most)


def panel(rows, columns, top, title, names, curves, least):
    hours = max(rows[-1][0] / 3600, 1e-6)
    indices = [columns.index(curve) for curve in curves]
    values = [row[index] for row in rows for index in indices if row[index] is not None]
    most = nice(max(max(values), -least))
    x = lambda audio: LEFT + (WIDTH - LEFT - 20) * audio / 3600 / hours
    y = lambda value: top + TOP + (HEIGHT - TOP - 44) * (most - value) / (most - least)
    parts = [f'<text x="{LEFT}" y="{top + 20}" font-weight="bold">{title}</text>']
    for step in range(5):
        value = least + (most - least) * step / 4
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>'
                     f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
        at = hours * 3600 * step / 4
        parts.append(f'<text x="{x(at):.1f}" y="{top + HEIGHT - 26}" text-anchor="middle">{at / 3600:.2g}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{top + HEIGHT - 10}" text-anchor="middle">hours of audio</text>')
    for number, (index, name) in enumerate(zip(indices, names)):
        points = " ".join(f"{x(row[0]):.1f},{y(row[index]):.1f}" for row in rows if row[index] is not None)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLORS[number]}" stroke-width="1.5"/>')
        parts.append(f'<text x="{WIDTH - 24}" y="{top + 20 + 14 * number}" text-anchor="end" fill="{COLORS[number]}">{name}</text>')
    return parts


def draw(rows, columns):
    """An SVG file of the panels for which there are values."""
    shown = [entry for entry in PANELS if any(row[columns.index(entry[1][0])] is not None for row in rows)]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT * len(shown)}" font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT * len(shown)}" fill="#fff"/>']
    for number, (title, curves, names, least) in enumerate(shown):
        parts += panel(rows, columns, HEIGHT * number, title, names, curves, least)
    return "\n".join([*parts, "</svg>", ""])
