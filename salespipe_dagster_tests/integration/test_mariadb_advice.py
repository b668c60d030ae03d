"""What the doctor says of a real server: the user's rights, and indexes that would help."""

import sqlalchemy as sa

from salespipe_dagster_tests.integration.mariadb import execute, open_source
from salespipe_spark.tables import sources

SECRET = "a:secret"


def test_rights_beside_reading_are_named_and_no_password(classicmodels: str) -> None:
    """SHOW GRANTS holds the hash of the password."""
    database = sa.make_url(classicmodels).database
    execute(classicmodels, "CREATE OR REPLACE ROLE clerks")
    for user, grant, expected in [
        ("may_read", f"SELECT ON `{database}`.*", []),
        ("may_view", f"SELECT, SHOW VIEW ON `{database}`.*", []),
        ("may_write", f"SELECT, DELETE, UPDATE (comments, status) ON `{database}`.orders", ["DELETE", "UPDATE"]),
        ("may_all", "ALL PRIVILEGES ON *.*", ["ALL PRIVILEGES"]),
        ("may_give", f"SELECT ON `{database}`.* TO may_give@'127.0.0.%%' WITH GRANT OPTION", ["GRANT OPTION"]),
        ("may_as_role", "clerks", ["role `clerks`"]),
    ]:
        execute(
            classicmodels,
            f"CREATE OR REPLACE USER {user}@'127.0.0.%%' IDENTIFIED BY '{SECRET}'",
            f"GRANT SELECT ON `{database}`.orders TO {user}@'127.0.0.%%'",
            f"GRANT {grant}" if " TO " in grant else f"GRANT {grant} TO {user}@'127.0.0.%%'",
        )
        assert open_source(classicmodels, username=user, password=SECRET).needless_privileges() == expected


def test_indexes_that_would_help_are_named_until_they_are_there(classicmodels_copy: str) -> None:
    """classicmodels comes without one on its dates: a month is found by reading everything."""
    wanted = {
        "CREATE INDEX orders_orderDate ON orders (orderDate)",
        "CREATE INDEX payments_paymentDate ON payments (paymentDate)",
    }
    source = open_source(classicmodels_copy)
    assert set(source.missing_indexes(sources())) == wanted
    execute(classicmodels_copy, *wanted)
    execute(classicmodels_copy, "RENAME TABLE payments TO paid", "CREATE VIEW payments AS SELECT * FROM paid")
    assert source.missing_indexes(sources()) == []
