"""Histograms of amounts with mean, median and standard deviation: of orders and of online transactions."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from plotly.graph_objects import Bar, Figure

from salespipe_dagster.charts import _look, _totals, _words
from salespipe_dagster.charts._look import About
from salespipe_dagster.charts._sizes import CENTS, Sizes, round_up
from salespipe_dagster.charts._totals import Channel
from salespipe_dagster.rendering import WIDTH

MOST_TICKS = 12
MOST_LABELS = 26
"""Bars; narrower ones have no room for their number."""

HEADROOM = 1.25
BESIDE = 6
"""Pixels between a line and its text."""

LEFT, RIGHT = 90, 40
PIXELS = WIDTH - LEFT - RIGHT
"""Of the axis."""

FIRST, SECOND, DEVIATION, TIP = 1.0, 0.94, 0.86, 0.012
"""Where the texts begin, where the line of the deviation lies and half of its ends, as shares of the height."""


def histogram(sizes: Sizes, *, one: str, channel: Channel, source: str, about: About) -> Figure:
    """How many orders or transactions, whichever `one` is, are of which size."""
    money = {"mean": sizes.mean, "median": sizes.median, "standard deviation": sizes.deviation}
    told = [f"{name} {about.currency} {_words.short(a)}" for name, a in money.items() if a is not None]
    highest = max(sizes.counts.values(), default=1)
    lines, texts = _marks(sizes, about)
    return _look.figure(
        _bars(sizes, one, channel, about),
        kind=f"Histogram, a bar chart of {one}s by amount",
        finding=_finding(sizes, one, channel, about),
        detail=f"{_words.count(sizes.number, one)} {_words.during(about.months)}: {', '.join(told)}"
        if about.months
        else "",
        source=source,
        about=about,
        layout={
            "xaxis": _amount_axis(sizes, one, about),
            "yaxis": _look.money_axis([], f"{one.capitalize()}s")
            | {"range": [0, highest * HEADROOM], "tick0": 0, "dtick": round_up(highest / 8)},
            "shapes": lines,
        },
        annotations=texts,
        left=LEFT,
        right=RIGHT,
    )


def _finding(sizes: Sizes, one: str, channel: Channel, about: About) -> str:
    if not about.months or not sizes.number:
        return _totals.nothing({}, about, channel)
    median, mean = (f"{about.currency} {_words.short(amount)}" for amount in (sizes.median, sizes.mean))
    if sizes.number == 1:
        return f"The only {one} is {mean}"
    return f"The median {one} is {median}, the mean {mean}"


def _label(number: int, sizes: Sizes) -> str:
    start, end = (_words.edge(sizes.bins.start(each)) for each in (number, number + 1))
    if number < sizes.bins.first:
        return f"under {end}"
    return f"{start} and more" if number > sizes.bins.last else f"{start} to under {end}"


def _bars(sizes: Sizes, one: str, channel: Channel, about: About) -> Bar:
    counts, bins = sizes.counts, sizes.bins

    def hover(number: int) -> str:
        share = _words.share(Decimal(counts[number]), Decimal(sizes.number))
        return f"{about.currency} {_label(number, sizes)}<br>{_words.count(counts[number], one)} ({share})"

    labelled = len(counts) <= MOST_LABELS
    return Bar(
        x=[bins.middle(number) for number in counts],
        y=list(counts.values()),
        width=0.94 * bins.width / CENTS,
        text=[_words.tight(Decimal(count)) if count and labelled else "" for count in counts.values()],
        textposition="outside",
        textfont={"size": 12},
        textangle=0,
        hovertext=[hover(number) for number in counts],
        hovertemplate="%{hovertext}<extra></extra>",
        marker={"color": [channel.color if bins.closed(number) else _look.OTHER for number in counts]},
        cliponaxis=False,
    )


def _amount_axis(sizes: Sizes, one: str, about: About) -> dict[str, Any]:
    """An axis that is labelled at edges of bins, and in the middle of an open one."""
    bins = sizes.bins
    edges = [*sizes.counts, max(sizes.counts) + 1] if sizes.counts else [0, 1]
    step = -(-len(edges) // MOST_TICKS)
    opened = {number: _open(number, sizes) for number in edges[:-1] if not bins.closed(number)}
    ticks = [edge for edge in edges if edge % step == 0 and not opened.keys() & {edge - 2, edge - 1, edge, edge + 1}]
    return {
        "range": [float(bins.start(edges[0])), float(bins.start(edges[-1]))],
        "tickmode": "array",
        "tickvals": [*(float(bins.start(edge)) for edge in ticks), *(bins.middle(number) for number in opened)],
        "ticktext": [*(_words.edge(bins.start(edge)) for edge in ticks), *opened.values()],
        "tickangle": 0,
        "ticks": "",
        "ticklabelstandoff": 6,
        "showgrid": False,
        "title": {"text": f"Amount of the {one}, {about.currency}", "standoff": 12},
    }


def _open(number: int, sizes: Sizes) -> str:
    """The label of an open bin on the axis."""
    if number < sizes.bins.first:
        return _words.literal(f"<{_words.edge(sizes.bins.start(number + 1))}")
    return f"{_words.edge(sizes.bins.start(number))}+"


def _marks(sizes: Sizes, about: About) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Lines at mean and median, each from above its bar's label to the top, across them one of the deviation; texts."""
    if not sizes.counts:
        return [], []
    low, high = _reach(sizes)
    lines: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    for name, amount, top, dash, left in _rows(sizes, about):
        number = sizes.bins.of(amount)
        bottom = sizes.counts[number] / max(sizes.counts.values()) / HEADROOM + 0.05
        place = _place(amount, sizes)
        lines.append(_line((place, place), (bottom, top), 2, dash))
        texts.append(_text(_words_of(name, amount, about), (place, place), top, sizes, left=left))
    if sizes.deviation:
        # An end is marked only where it is within the axis.
        ends = [float(sizes.mean - sizes.deviation), float(sizes.mean + sizes.deviation)]
        across = (max(ends[0], low), min(ends[1], high))
        lines.append(_line(across, (DEVIATION, DEVIATION), 1, "solid"))
        lines += [
            _line((end, end), (DEVIATION - TIP, DEVIATION + TIP), 1, "solid") for end in ends if low <= end <= high
        ]
        text = _words_of("standard deviation", sizes.deviation, about)
        texts.append(_text(text, across, DEVIATION, sizes, left=False) | {"yanchor": "middle"})
    return lines, texts


def _rows(sizes: Sizes, about: About) -> Iterator[tuple[str, Decimal, float, str, bool]]:
    """Mean and median with where their lines end, their dashes and whether the text is left of the line.

    The line that the other's text would cross ends below that text.
    """
    larger = max(sizes.mean, sizes.median)
    needed = max(_needed(_words_of(name, larger, about), sizes) for name in ("mean", "median"))
    left = _reach(sizes)[1] - _place(larger, sizes) < needed
    is_first = (sizes.mean >= sizes.median) if left else (sizes.mean <= sizes.median)
    yield "mean", sizes.mean, FIRST if is_first else SECOND, "solid", left
    yield "median", sizes.median, SECOND if is_first else FIRST, "dot", left


def _words_of(name: str, amount: Decimal, about: About) -> str:
    return f"{name} {about.currency} {_words.short(amount)}"


def _place(amount: Decimal, sizes: Sizes) -> float:
    """Where an amount is on the axis; in an open bin it has no place of its own."""
    number = sizes.bins.of(amount)
    return float(amount) if sizes.bins.closed(number) else sizes.bins.middle(number)


def _needed(text: str, sizes: Sizes) -> float:
    """How much of the axis a text beside a line takes."""
    low, high = _reach(sizes)
    return (_words.width(text, _look.SIZE) + BESIDE) / PIXELS * (high - low)


def _reach(sizes: Sizes) -> tuple[float, float]:
    """Where the axis begins and ends."""
    return float(sizes.bins.start(min(sizes.counts))), float(sizes.bins.start(max(sizes.counts) + 1))


def _line(x: tuple[float, float], y: tuple[float, float], width: int, dash: str) -> dict[str, Any]:
    line = {"color": _look.INK, "width": width, "dash": dash}
    ends = {"x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1]}
    return {"type": "line", "yref": "paper", "line": line, "layer": "between"} | ends


def _text(text: str, ends: tuple[float, float], y: float, sizes: Sizes, *, left: bool) -> dict[str, Any]:
    """A text on the wanted side of a line, on the other one where there is no room, else upon its right end."""
    low, high = _reach(sizes)
    needed = _needed(text, sizes)
    room = {True: ends[0] - low >= needed, False: high - ends[1] >= needed}
    left = left if room[left] or not room[not left] else not left
    return {
        "x": ends[0] if left and room[True] else ends[1],
        "y": y,
        "yref": "paper",
        "yanchor": "top",
        "xanchor": "right" if left or not room[False] else "left",
        "xshift": -BESIDE if left or not room[False] else BESIDE,
        "text": text,
        "bgcolor": "white",
        "showarrow": False,
    }
