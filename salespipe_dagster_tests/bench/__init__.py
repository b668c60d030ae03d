"""`make bench`: time and memory by section, beside what is the least possible.

What is measured of ours stands in `stages.py`, the floors in `floor.py`; shops are made by `shop.py` in
MariaDB and by `made.py` in a lake; `report.py` prints. `__main__.py` lists the sections: each is in a
module of its own, and can be measured alone. Nothing here is a test; pytest passes it by.
"""
