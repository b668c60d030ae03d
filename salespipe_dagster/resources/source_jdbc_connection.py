"""How Spark reaches the source: Connector/J's options, and the trust store that verified TLS needs.

User and password go as options, which neither a plan nor the event log shows, and never by the URL. The scheme
is `jdbc:mysql://`: under `jdbc:mariadb://` Spark quotes names as MariaDB's driver reads literals, and each row
holds the columns' names.
"""

import re
import subprocess
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from salespipe_dagster.resources import java
from salespipe_dagster.resources.source_connection import verifies
from salespipe_spark.errors import SalespipeError

STORE_PASSWORD = "changeit"  # Java's own default; certificates of authorities are no secret
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def connection_options(url: sa.URL, folder: Path) -> dict[str, str]:
    """How Connector/J connects: as PyMySQL does, verified where it is; the URL holds no secret."""
    host = f"[{url.host}]" if ":" in (url.host or "") else url.host or "localhost"
    options = {
        "driver": "com.mysql.cj.jdbc.Driver",
        "url": f"jdbc:mysql://{host}:{url.port or 3306}/{quote(url.database or '', safe='')}",
        "user": url.username or "",
        "password": url.password or "",
        "sessionInitStatement": "SET SESSION TRANSACTION READ ONLY",
        "tinyInt1isBit": "false",  # a TINYINT(1) is a number
        "fetchsize": str(-(2**31)),  # row by row; else each partition is held in memory whole
        "connectTimeout": "5000",
    }
    if not verifies(url):
        # Without TLS MySQL hands out its key, with which the password is encrypted; PyMySQL asks for it too.
        return options | {"sslMode": "DISABLED", "allowPublicKeyRetrieval": "true"}
    options["sslMode"] = "VERIFY_IDENTITY"
    if "ssl_ca" in url.query:
        options |= {
            "trustCertificateKeyStoreUrl": trust_store(Path(str(url.query["ssl_ca"])), folder).as_uri(),
            "trustCertificateKeyStoreType": "PKCS12",
            "trustCertificateKeyStorePassword": STORE_PASSWORD,
            "fallbackToSystemTrustStore": "false",  # who names a CA trusts no other
        }
    return options


def trust_store(authority: Path, folder: Path) -> Path:
    """A PKCS12 trust store of the certificates in a PEM file, made by the keytool that comes with Java.

    Raises:
        SalespipeError: there is no certificate in the file, or no keytool.
    """
    hint = "correct ssl_ca in SALESPIPE_SOURCE_URL: a file with the CA's certificate in PEM"
    store = folder / "authority.p12"
    if store.exists():
        return store
    try:
        certificates = CERTIFICATE.findall(authority.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SalespipeError(f"The CA {authority} cannot be read: {error}.", hint) from None
    if not certificates:
        raise SalespipeError(f"The CA {authority} holds no certificate.", hint)
    draft = store.with_suffix(".draft")  # one that lacks a certificate must not pass for the whole
    draft.unlink(missing_ok=True)
    into = ["-keystore", str(draft), "-storetype", "PKCS12", "-storepass", STORE_PASSWORD]
    for number, certificate in enumerate(certificates):
        command = [java.program("keytool"), "-importcert", "-noprompt", "-alias", f"ca-{number}", *into]
        try:
            subprocess.run(command, input=certificate, capture_output=True, text=True, check=True)
        except subprocess.CalledProcessError as error:
            said = (error.stdout + error.stderr).strip()
            raise SalespipeError(f"The CA {authority} cannot be read: {said}.", hint) from None
        except OSError as error:
            raise SalespipeError(f"There is no keytool: {error}.", "install Java 17 and set JAVA_HOME") from None
    return draft.rename(store)
