"""`make bench`: time and memory at 1,000,000 and 5,000,000 order lines, beside what is the least possible.

What is measured stands in `stages.py` (ours) and `floor.py` (the floors), where it comes from in
`shop.py`, what is reported in `report.py`. Nothing here is a test; pytest passes it by.
"""
