"""The lines of the shop's orders as the source has them, each with its order's date.

A line belongs to the month of its order. A line whose order does not exist has no month: it is
counted in the run's summary as outside the months.
"""

from salespipe_spark.contract import Column, Contract, Source, Type

CONTRACT = Contract(
    grain="One row per order line.",
    source=Source("orderdetails", dated_by="orders", amount=("quantity_ordered", "price_each")),
    key=("order_number", "product_code"),
    month="order_date",
    columns=(
        Column("order_number", Type.INT, "The order the line belongs to."),
        Column("product_code", Type.STRING, "The product ordered."),
        Column("quantity_ordered", Type.INT, "Units ordered."),
        Column("price_each", Type.PRICE, "Price of one unit as agreed for this line."),
        Column("order_line_number", Type.INT, "The line's place within its order, from 1."),
        Column("order_date", Type.DATE, "The order's date, from orders."),
    ),
)
