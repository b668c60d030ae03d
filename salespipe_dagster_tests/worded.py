"""Figures in cents as charts and report alike word them: one list for the code of both."""

CASES: list[tuple[str, tuple[int | None, ...], str]] = [
    ("exact", (0,), "0.00"),
    ("exact", (-123456780,), "−1,234,567.80"),
    ("short", (99999,), "999.99"),
    ("short", (100000,), "1.00k"),
    ("short", (99949999,), "999k"),
    ("short", (99950000,), "1.00M"),
    ("short", (-5420000,), "−54.2k"),
    # Half up: an eighth was 12% in a chart and 13% in the report.
    ("share", (125, 1000), "13%"),
    ("share", (25, 1000), "3%"),
    ("share", (985, 1000), "99%"),
    ("share", (1, 3), "33%"),
    ("share", (0, 1000), "0%"),
    ("share", (9, 1000), "under 1%"),
    ("share", (999, 1000), "over 99%"),
    ("share", (1000, 1000), "100%"),
    ("share", (1125899906842623, 9007199254740991), "12%"),  # 12.499999999999999
    ("change", (12500, 10000), "+25%"),
    ("change", (1225, 1000), "+23%"),
    ("change", (775, 1000), "−23%"),
    ("change", (9950, 10000), "−0.5%"),
    ("change", (2029, 2000), "+1.5%"),
    ("change", (1971, 2000), "−1.5%"),
    ("change", (10999, 10000), "+10.0%"),
    ("change", (11000, 10000), "+10%"),
    ("change", (0, 10000), "−100%"),
    ("change", (10005, 10000), "+0.1%"),
    # Nothing is said to be the same that is not.
    ("change", (10004, 10000), "+under 0.1%"),
    ("change", (9996, 10000), "−under 0.1%"),
    ("change", (10000, 10000), "unchanged"),
    ("change", (0, 0), "unchanged"),
    ("change", (10990, 1000), "+999%"),
    ("change", (10996, 1000), "11 times"),
    ("change", (12000, 1000), "12 times"),
    ("change", (1250, 100), "13 times"),
    ("change", (123450000, 100), "1.23M times"),
    ("change", (100000000000, 1), "100B times"),
    # A percentage of nothing is infinite; of a loss, or down to one, it says nothing.
    ("change", (500, None), "–"),
    ("change", (500, 0), "–"),
    ("change", (500, -100), "–"),
    ("change", (-500, 1000), "–"),
]
"""The function, what it is given, and what it says."""
