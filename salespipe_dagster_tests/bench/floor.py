"""The floor of the transforms: the same tables written by hand, one statement a table, for DuckDB and Spark alike.

No contract, no audit, no receipts, no publishing: the least that it takes to come from staging to these
tables. `floor_duckdb.py` and `floor_spark.py` run the statements, each in a process of its own. The words
are Spark's where the two have different ones; `days(day)` is a view of the calendar.
"""

THREADS = 2
MONTHLY_INPUTS = ("orders", "order_details", "payments", "online_sales")
SNAPSHOT_INPUTS = (
    *("customers", "employees", "offices", "products", "product_lines"),
    *("online_customers", "online_products"),
)

_PLACE = ", ".join(f"trim({part}) AS {part}" for part in ("city", "state", "postal_code", "country"))
_KEY = " || ".join(
    f"coalesce(length({part}) || ':' || {part}, '-')" for part in ("city", "state", "postal_code", "country")
)
_MEASURES = """
    sum(amount)::DECIMAL(18,2) AS ordered_amount,
    coalesce(sum(amount) FILTER (WHERE is_cancelled), 0)::DECIMAL(18,2) AS cancelled_amount,
    coalesce(sum(amount) FILTER (WHERE NOT is_cancelled), 0)::DECIMAL(18,2) AS revenue,
    count(DISTINCT CASE WHEN NOT is_cancelled THEN order_number END) AS orders,
    coalesce(sum(quantity) FILTER (WHERE NOT is_cancelled), 0)::BIGINT AS units,
    coalesce(sum(margin_amount) FILTER (WHERE NOT is_cancelled), 0)::DECIMAL(18,2) AS margin_amount"""
_MONTH = "date_trunc('month', order_date)::DATE AS month_start"
_SALES_MONTH = "date_trunc('month', sale_date)::DATE AS month_start"
_ONLINE = """
    sum(amount)::DECIMAL(18,2) AS total_revenue, count(*) AS transaction_count,
    try_divide(sum(amount), count(*))::DECIMAL(18,6) AS avg_transaction_value, sum(quantity)::BIGINT AS units"""
_NAME = "trim(first_name) || ' ' || trim(last_name)"

CORE = {
    "dim_offices": f"""
        SELECT office_code, phone, city, state, postal_code, country, sha2({_KEY}, 256) AS location_key, territory
        FROM (SELECT office_code, phone, territory, {_PLACE} FROM offices)""",
    "dim_customers": f"""
        SELECT customer_number, customer_name,
            trim(contact_first_name) || ' ' || trim(contact_last_name) AS contact_name, phone, city, state,
            postal_code, country, sha2({_KEY}, 256) AS location_key, credit_limit, sales_rep_number, sales_rep_name
        FROM (SELECT customer_number, customer_name, contact_first_name, contact_last_name, phone, credit_limit,
            sales_rep_employee_number AS sales_rep_number, {_PLACE} FROM customers)
        LEFT JOIN (SELECT employee_number, {_NAME} AS sales_rep_name FROM employees)
            ON employee_number = sales_rep_number""",
    "dim_locations": f"""
        SELECT DISTINCT sha2({_KEY}, 256) AS location_key, city, state, postal_code, country
        FROM (SELECT {_PLACE} FROM customers UNION ALL SELECT {_PLACE} FROM offices)""",
    "dim_employees": f"""
        SELECT e.employee_number, {_NAME.replace("first", "e.first").replace("last", "e.last")} AS full_name, e.email,
            e.job_title, e.reports_to AS manager_number, m.manager_name, office_code, o.city AS office_city,
            o.country AS office_country, o.territory
        FROM employees e
        LEFT JOIN (SELECT employee_number, {_NAME} AS manager_name FROM employees) m ON m.employee_number = e.reports_to
        LEFT JOIN dim_offices o USING (office_code)""",
    "dim_products": """
        SELECT product_code, product_name, product_line, text_description AS product_line_description,
            product_scale AS scale, product_vendor AS vendor, buy_price, msrp, quantity_in_stock
        FROM products LEFT JOIN product_lines USING (product_line)""",
    "dim_online_customers": "SELECT * FROM online_customers",
    "dim_online_products": "SELECT * FROM online_products",
    "dim_dates": """
        SELECT day AS date, year(day)::INT AS year, quarter(day)::INT AS quarter, month(day)::INT AS month,
            date_trunc('month', day)::DATE AS month_start, date_format(day, 'MMMM') AS month_name,
            weekofyear(day)::INT AS week, (weekday(day) + 1)::INT AS day_of_week, date_format(day, 'EEEE') AS day_name,
            weekday(day) >= 5 AS is_weekend
        FROM days""",
}
FACTS = {
    "fact_orders": """
        SELECT order_number, order_line_number, product_code, customer_number, location_key, sales_rep_number,
            d.order_date, required_date, shipped_date, trim(status) AS status, quantity_ordered AS quantity,
            price_each AS unit_price, (quantity_ordered * price_each)::DECIMAL(18,2) AS amount,
            (quantity_ordered * buy_price)::DECIMAL(18,2) AS cost_amount,
            (quantity_ordered * price_each - quantity_ordered * buy_price)::DECIMAL(18,2) AS margin_amount,
            (quantity_ordered * msrp)::DECIMAL(18,2) AS list_amount,
            lower(trim(status)) = 'cancelled' AS is_cancelled
        FROM order_details d JOIN orders USING (order_number) LEFT JOIN dim_customers USING (customer_number)
        LEFT JOIN dim_products USING (product_code)""",
    "fact_payments": """
        SELECT customer_number, check_number, payment_date, amount::DECIMAL(18,2) AS amount FROM payments""",
    "fact_online_sales": """
        SELECT transaction_id, sold_at, sale_date, customer_id, product, category, region, quantity, unit_price,
            total_amount AS amount, age_group, membership_tier
        FROM online_sales LEFT JOIN dim_online_customers USING (customer_id)
        LEFT JOIN dim_online_products USING (product)""",
}
MARTS = {
    "monthly_revenue": f"""
        SELECT *, try_divide(revenue, orders)::DECIMAL(18,6) AS average_order_value
        FROM (SELECT {_MONTH}, 'wholesale' AS channel, {_MEASURES},
            count(DISTINCT CASE WHEN NOT is_cancelled THEN customer_number END) AS customers,
            coalesce(sum(cost_amount) FILTER (WHERE NOT is_cancelled), 0)::DECIMAL(18,2) AS cost_amount
            FROM fact_orders GROUP BY ALL
            UNION ALL
            SELECT {_SALES_MONTH}, 'online', sum(amount)::DECIMAL(18,2), 0::DECIMAL(18,2), sum(amount)::DECIMAL(18,2),
            count(*), sum(quantity)::BIGINT, NULL::DECIMAL(18,2), count(DISTINCT customer_id), NULL::DECIMAL(18,2)
            FROM fact_online_sales GROUP BY ALL)""",
    "revenue_by_customer": f"SELECT {_MONTH}, customer_number, {_MEASURES} FROM fact_orders GROUP BY ALL",
    "revenue_by_product": f"""
        SELECT * FROM (SELECT {_MONTH}, product_code, {_MEASURES} FROM fact_orders GROUP BY ALL)
        JOIN (SELECT product_code, product_line FROM dim_products) USING (product_code)""",
    "revenue_by_country": f"""
        SELECT {_MONTH}, country, {_MEASURES} FROM fact_orders JOIN dim_locations USING (location_key) GROUP BY ALL""",
    "revenue_by_country_and_product_line": f"""
        SELECT {_MONTH}, country, product_line, {_MEASURES}
        FROM fact_orders JOIN dim_locations USING (location_key) JOIN dim_products USING (product_code) GROUP BY ALL""",
    "online_sales_summary": f"""
        SELECT {_SALES_MONTH}, region, product, {_ONLINE} FROM fact_online_sales GROUP BY ALL""",
    "online_revenue_by_segment": f"""
        SELECT {_SALES_MONTH}, age_group, membership_tier, {_ONLINE} FROM fact_online_sales GROUP BY ALL""",
}
TABLES = CORE | FACTS | MARTS
DAYS = {"fact_orders": "order_date", "fact_payments": "payment_date", "fact_online_sales": "sale_date"}
MONTH_COLUMN = DAYS | dict.fromkeys(MARTS, "month_start")


def layer(name: str) -> str:
    """Where in a lake the table lies."""
    return "marts" if name in MARTS else "core"
