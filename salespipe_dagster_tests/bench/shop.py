"""A shop in the shape of classicmodels, of any size, made inside the server.

Every value is arithmetic on a number of the Sequence engine, or its CRC32: the same shop each time.
An order has 1 to 15 lines, 8 on average. As in classicmodels, order numbers rise with the date, no
date has an index, and the tables' keys and foreign keys are there; one order in 16 is dated up to
40 days early, so that months overlap in the order of reading.
"""

from dataclasses import dataclass
from datetime import date

from salespipe_dagster_tests.mariadb_server import Server
from salespipe_spark import months

LINES_IN_BLOCK = 120
"""A block of 15 orders with 1, 2, … 15 lines."""
ORDERS_IN_BLOCK = 15
BLOCKS = 250
"""In the pattern that is repeated."""
FIRST_ORDER = 10_100

_COUNTRIES = "'USA','France','Germany','Spain','UK','Italy','Norway','Japan','Australia','Canada','Finland','Austria'"
_LINES = "'Classic Cars','Motorcycles','Planes','Ships','Trains','Trucks and Buses','Vintage Cars'"

TABLES = (
    """CREATE TABLE productlines (productLine varchar(50) NOT NULL PRIMARY KEY, textDescription varchar(4000),
        htmlDescription mediumtext, image mediumblob)""",
    """CREATE TABLE products (productCode varchar(15) NOT NULL PRIMARY KEY, productName varchar(70) NOT NULL,
        productLine varchar(50) NOT NULL, productScale varchar(10) NOT NULL, productVendor varchar(50) NOT NULL,
        productDescription text NOT NULL, quantityInStock smallint NOT NULL, buyPrice decimal(10,2) NOT NULL,
        MSRP decimal(10,2) NOT NULL, FOREIGN KEY (productLine) REFERENCES productlines (productLine))""",
    """CREATE TABLE offices (officeCode varchar(10) NOT NULL PRIMARY KEY, city varchar(50) NOT NULL,
        phone varchar(50) NOT NULL, addressLine1 varchar(50) NOT NULL, addressLine2 varchar(50), state varchar(50),
        country varchar(50) NOT NULL, postalCode varchar(15) NOT NULL, territory varchar(10) NOT NULL)""",
    """CREATE TABLE employees (employeeNumber int NOT NULL PRIMARY KEY, lastName varchar(50) NOT NULL,
        firstName varchar(50) NOT NULL, extension varchar(10) NOT NULL, email varchar(100) NOT NULL,
        officeCode varchar(10) NOT NULL, reportsTo int, jobTitle varchar(50) NOT NULL,
        FOREIGN KEY (reportsTo) REFERENCES employees (employeeNumber),
        FOREIGN KEY (officeCode) REFERENCES offices (officeCode))""",
    """CREATE TABLE customers (customerNumber int NOT NULL PRIMARY KEY, customerName varchar(50) NOT NULL,
        contactLastName varchar(50) NOT NULL, contactFirstName varchar(50) NOT NULL, phone varchar(50) NOT NULL,
        addressLine1 varchar(50) NOT NULL, addressLine2 varchar(50), city varchar(50) NOT NULL, state varchar(50),
        postalCode varchar(15), country varchar(50) NOT NULL, salesRepEmployeeNumber int, creditLimit decimal(10,2),
        FOREIGN KEY (salesRepEmployeeNumber) REFERENCES employees (employeeNumber))""",
    """CREATE TABLE orders (orderNumber int NOT NULL PRIMARY KEY, orderDate date NOT NULL, requiredDate date NOT NULL,
        shippedDate date, status varchar(15) NOT NULL, comments text, customerNumber int NOT NULL,
        FOREIGN KEY (customerNumber) REFERENCES customers (customerNumber))""",
    """CREATE TABLE orderdetails (orderNumber int NOT NULL, productCode varchar(15) NOT NULL,
        quantityOrdered int NOT NULL, priceEach decimal(10,2) NOT NULL, orderLineNumber smallint NOT NULL,
        PRIMARY KEY (orderNumber, productCode))""",
    """CREATE TABLE payments (customerNumber int NOT NULL, checkNumber varchar(50) NOT NULL, paymentDate date NOT NULL,
        amount decimal(10,2) NOT NULL, PRIMARY KEY (customerNumber, checkNumber),
        FOREIGN KEY (customerNumber) REFERENCES customers (customerNumber))""",
)
AFTERWARDS = (  # an index is built faster than it is kept
    "ALTER TABLE orderdetails ADD KEY (productCode)",
    "ANALYZE TABLE " + ", ".join(statement.split()[2] for statement in TABLES),
)


@dataclass(frozen=True)
class Shop:
    """How large a shop is, and which months it spans. At least 16 products: an order repeats none."""

    database: str
    lines: int
    first_month: str
    last_month: str
    customers: int = 50_000
    products: int = 1_000

    @property
    def months(self) -> list[str]:
        """The months with orders."""
        return months.between(self.first_month, self.last_month)

    @property
    def orders(self) -> int:
        """The number of orders."""
        blocks, rest = divmod(self.lines, LINES_IN_BLOCK)
        return blocks * ORDERS_IN_BLOCK + next(n for n in range(ORDERS_IN_BLOCK + 1) if n * (n + 1) // 2 >= rest)

    def make(self, server: Server) -> None:
        """Create the database and fill it."""
        with server.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {self.database} CHARACTER SET latin1")
        with server.cursor(self.database) as cursor:
            cursor.execute("SET SESSION foreign_key_checks = 0")
            for statement in (*TABLES, *self._catalogue(), *self._trade(), *AFTERWARDS):
                cursor.execute(statement)

    def drop(self, server: Server) -> None:
        """Remove the database."""
        with server.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {self.database}")

    def _catalogue(self) -> tuple[str, ...]:
        return (
            f"""INSERT INTO productlines SELECT ELT(seq, {_LINES}), CONCAT('Text of line ', seq),
                IF(seq % 2, NULL, '<p>Text</p>'), NULL FROM seq_1_to_7""",
            f"""INSERT INTO products SELECT CONCAT('S', 9999 + seq), CONCAT('Model ', seq),
                ELT(1 + seq % 7, {_LINES}), ELT(1 + seq % 3, '1:10', '1:18', '1:72'), CONCAT('Maker ', seq % 13),
                CONCAT('What the catalogue says of model ', seq), 100 + seq % 9000, (2000 + seq * 37 % 9000) / 100,
                (4000 + seq * 71 % 18000) / 100 FROM seq_1_to_{self.products}""",
            f"""INSERT INTO offices SELECT seq, CONCAT('Office Town ', seq), CONCAT('+1 555 ', seq), 'High Street 1',
                NULL, NULL, ELT(seq, {_COUNTRIES}), CONCAT('O', seq), ELT(1 + seq % 4, 'NA', 'EMEA', 'APAC', 'Japan')
                FROM seq_1_to_7""",
            """INSERT INTO employees SELECT 1000 + seq, CONCAT('Last', seq), CONCAT('First', seq), CONCAT('x', seq),
                CONCAT('e', seq, '@example.com'), 1 + seq % 7, IF(seq = 1, NULL, 1001), 'Sales Rep' FROM seq_1_to_30""",
            f"""INSERT INTO customers SELECT seq, CONCAT('Customer ', seq), CONCAT('Last', seq % 997), 'First',
                CONCAT('555-', seq), CONCAT('Street ', seq), IF(seq % 3, NULL, 'Suite 1'),
                CONCAT(IF(seq % 50, '', ' '), 'City ', seq % 2000),
                IF(seq % 5, NULL, CONCAT('State ', seq % 2000 % 40)),
                IF(seq % 2000 % 11, LPAD(seq % 2000 DIV 4, 5, '0'), NULL), ELT(1 + seq % 2000 % 12, {_COUNTRIES}),
                IF(seq % 17, 1002 + seq % 29, NULL), IF(seq % 10, 100 * (seq % 2000), NULL)
                FROM seq_1_to_{self.customers}""",
        )

    def _trade(self) -> tuple[str, ...]:
        first: date = months.first_day(self.first_month)
        days = (months.end_day(self.last_month) - first).days
        last = self.orders - 1
        day = f"seq * {days} DIV {self.orders} - IF(seq % 16, 0, CRC32(seq) % 40)"
        order_date = f"'{first}' + INTERVAL GREATEST(0, {day}) DAY"
        return (
            f"""INSERT INTO orders SELECT {FIRST_ORDER} + seq, {order_date}, {order_date} + INTERVAL 7 DAY,
                IF(CRC32(seq) % 100 < 8, NULL, {order_date} + INTERVAL 3 DAY),
                CASE WHEN CRC32(seq) % 100 < 4 THEN 'Cancelled' WHEN CRC32(seq) % 100 < 6 THEN 'On Hold'
                    WHEN CRC32(seq) % 100 < 8 THEN 'In Process' WHEN CRC32(seq) % 100 < 9 THEN 'Disputed'
                    ELSE 'Shipped' END,
                IF(seq % 4, NULL, CONCAT('The customer asks for delivery before noon, see call ', seq)),
                1 + CRC32(CONCAT('c', seq)) % {self.customers} FROM seq_0_to_{last}""",
            # Evaluating expressions costs more than storing rows: a pattern of lines is made once, and repeated
            # with other products, quantities and prices. 61 is a prime, and so is no factor of 1,000.
            f"""CREATE TEMPORARY TABLE pattern (position int PRIMARY KEY, nth int, product int, quantity int,
                price decimal(10,2), line smallint)
                SELECT b.seq * {LINES_IN_BLOCK} + n.seq * (n.seq - 1) DIV 2 + l.seq - 1 AS position,
                    b.seq * {ORDERS_IN_BLOCK} + n.seq - 1 AS nth, b.seq * 13 + n.seq * 29 + l.seq * 61 AS product,
                    1 + CRC32(CONCAT_WS('q', b.seq, n.seq, l.seq)) % 60 AS quantity,
                    (1500 + CRC32(CONCAT_WS('p', b.seq, n.seq, l.seq)) % 20000) / 100 AS price, l.seq AS line
                FROM seq_0_to_{BLOCKS - 1} b JOIN seq_1_to_15 n JOIN seq_1_to_15 l ON l.seq <= n.seq""",
            f"""INSERT INTO orderdetails SELECT STRAIGHT_JOIN
                {FIRST_ORDER} + r.seq * {BLOCKS * ORDERS_IN_BLOCK} + p.nth,
                CONCAT('S', 10000 + (p.product + r.seq * 37) % {self.products}), p.quantity * (r.seq % 59 + 1) % 61,
                p.price + r.seq % 90, p.line
                FROM seq_0_to_{(self.lines - 1) // (BLOCKS * LINES_IN_BLOCK)} r JOIN pattern p
                WHERE r.seq * {BLOCKS * LINES_IN_BLOCK} + p.position < {self.lines}""",
            f"""INSERT INTO payments SELECT 1 + CRC32(CONCAT('c', seq)) % {self.customers}, CONCAT('HQ', seq),
                {order_date}, (100000 + CRC32(CONCAT('p', seq)) % 5000000) / 100 FROM seq_0_to_{last}""",
        )
