"""The settings, and the only place that reads the environment (prefix SALESPIPE_).

Whatever is derived from a setting is derived here, so that nobody else asks which database or which
month is meant. What a single value may be is in `setting_types`, what goes together is here. A name that
salespipe does not know is an error: a typing mistake must not run the defaults.
"""

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self, TypeGuard

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import URL

from salespipe_dagster.setting_types import (
    PREFIX,
    SERVICES,
    DatabaseUrl,
    EngineName,
    Month,
    Place,
    ServerUrl,
    SubmitParameters,
    database_url,
    variable,
)
from salespipe_spark import months
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.store import S3Server

DEMO_HOME = Path(".salespipe/demo")


class Settings(BaseSettings):
    """What is configured; every field is the variable of its name in capitals after SALESPIPE_."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    home: Path = Field(Path(".salespipe"), description="the folder of everything local")
    source_url: DatabaseUrl | None = Field(None, description="the shop's database")
    source_password: SecretStr | None = Field(None, description="its password, where the URL has none")
    source_password_file: Path | None = Field(None, description="a file that holds its password")
    source_mode: Literal["synthetic", "external"] | None = Field(None, description="who makes the tables")
    lake_url: Place | None = Field(None, description="where the lake lies: a folder, or s3://bucket/prefix")
    files_url: Place | None = Field(None, description="where the files of the online channel land, likewise")
    s3_endpoint_url: ServerUrl | None = Field(None, description="a server of one's own that speaks S3")
    s3_region: str | None = Field(None, description="the region of the buckets")
    engine: EngineName = Field("sail", description="what transforms: sail, spark, or the URL of a Spark of one's own")
    emr_application_id: str | None = Field(None, description="the application of EMR Serverless")
    emr_role_arn: str | None = Field(None, description="the role that its jobs run as")
    emr_parameters: SubmitParameters = Field(
        "", description="what else spark-submit is told there, such as the executors' memory"
    )
    glue_job: str | None = Field(None, description="the name of the job in Glue")
    job_minutes: int = Field(120, ge=1, le=10_000, description="how long a table's job may take")
    extraction: Literal["stream", "jdbc"] = Field("stream", description="how the source is scanned")
    start_month: Month | None = Field(None, description="the first month")
    end_month: Month | None = Field(None, description="the last month, inclusive")
    company_seed: int = Field(7, description="which synthetic company")
    company_orders_per_month: int = Field(165, ge=0, le=700_000, description="how many orders its average month has")
    company_online_sales_per_month: int = Field(420, ge=0, le=14_000_000, description="how much its online shop sells")
    company_online_files_per_month: int = Field(2, ge=1, le=10_000, description="in how many files of sales")
    company_quirks: bool = Field(True, description="whether it has the nasty parts of real data")
    max_rejected_share: float = Field(0.05, ge=0, le=1, description="a file with more rejected lines than this is held")
    currency: str = Field("USD", description="the label of money in charts")

    @model_validator(mode="after")
    def _service_is_described(self) -> Self:
        needed = {"emr-serverless": ("emr_application_id", "emr_role_arn"), "glue": ("glue_job",)}
        missing = [variable(name) for name in needed.get(self.engine, ()) if getattr(self, name) is None]
        if missing:
            hint = "the README says what they name"
            raise SalespipeError(f"SALESPIPE_ENGINE={self.engine} needs {' and '.join(missing)}.", hint)
        if self.engine in SERVICES and (not self.lake_in_s3 or re.search(r"[\s,]", self.lake_place)):
            hint = "set SALESPIPE_LAKE_URL=s3://bucket/prefix"
            raise SalespipeError(f"SALESPIPE_ENGINE={self.engine} needs a lake in S3, without blank or comma.", hint)
        return self

    @model_validator(mode="after")
    def _extraction_can_be(self) -> Self:
        if self.extraction == "jdbc":
            stays = "or set SALESPIPE_EXTRACTION=stream"
            if not self.needs_java:
                hint = f"set SALESPIPE_ENGINE=spark, or to a master such as spark://host:7077; {stays}"
                raise SalespipeError("SALESPIPE_EXTRACTION=jdbc needs a session of Apache Spark in this process.", hint)
            if self.source_url is None or self.source_url.get_secret_value().startswith("sqlite"):
                hint = f"set SALESPIPE_SOURCE_URL to a MySQL or MariaDB database, {stays}"
                raise SalespipeError("SALESPIPE_EXTRACTION=jdbc cannot read SQLite.", hint)
        return self

    @model_validator(mode="after")
    def _months_make_a_range(self) -> Self:
        if not self.synthetic and self.start_month is None:
            hint = "set SALESPIPE_START_MONTH; `salespipe doctor` prints the source's first and last month"
            raise SalespipeError("SALESPIPE_START_MONTH is not set, and an external source needs it.", hint)
        if self.last_month < self.first_month:
            raise SalespipeError(
                f"The last month {self.last_month} is before the first month {self.first_month}.",
                "correct SALESPIPE_START_MONTH or SALESPIPE_END_MONTH",
            )
        return self

    @classmethod
    def load(cls, **values: object) -> Self:
        """The settings of the environment, with these values over them.

        Raises:
            SalespipeError: a variable is unknown or has a value that cannot be used.
        """
        known = {variable(name) for name in cls.model_fields}
        unknown = sorted(n for n in os.environ if n.upper().startswith(PREFIX) and n.upper() not in known)
        if unknown:
            raise SalespipeError(
                f"{', '.join(unknown)}: salespipe knows no such setting.", f"known are {', '.join(sorted(known))}"
            )
        return cls.checked(**values)

    @classmethod
    def checked(cls, **values: object) -> Self:
        """The settings of the environment with these values over them; errors name the variable."""
        try:
            return cls(**values)  # pyright: ignore[reportArgumentType]
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            name = variable("_".join(str(part) for part in first["loc"]))
            # Not chained: pydantic's text holds the values, and a value may hold a password.
            raise SalespipeError(f"{name}: {first['msg']}.", "the README lists the settings") from None

    @classmethod
    def embedded(cls, home: Path) -> Self:
        """The embedded default below a folder, whatever the environment says."""
        unset: dict[str, Any] = {name: field.default for name, field in cls.model_fields.items()}
        return cls.model_construct(None, **(unset | {"home": home}))

    @classmethod
    def configured_or_demo(cls) -> Self:
        """The settings of the environment, or those of the demo where nothing is configured."""
        settings = cls.load()
        return cls.embedded(DEMO_HOME) if settings.is_default else settings

    def environment(self) -> dict[str, str]:
        """The environment of a process that is to run with this home."""
        return dict(os.environ) | {PREFIX + "HOME": str(self.root), "DAGSTER_HOME": str(self.dagster_home)}

    @property
    def typed(self) -> str:
        """What stands before a command that is to mean the same demo, in a shell where nothing is exported."""
        if self.root != DEMO_HOME.absolute():
            return ""
        chosen = {"HOME": DEMO_HOME, "START_MONTH": self.start_month, "END_MONTH": self.end_month}
        return "".join(f"{PREFIX}{name}={value} " for name, value in chosen.items() if value)

    @property
    def dagster_home(self) -> Path:
        """Where Dagster keeps its runs and events."""
        return self.root / "dagster"

    @property
    def is_default(self) -> bool:
        """Whether nothing at all is configured."""
        return not self.model_fields_set

    @property
    def synthetic(self) -> bool:
        """Whether the tables of the source are made by the synthetic company."""
        mode = self.source_mode or ("synthetic" if self.source_url is None else "external")
        return mode == "synthetic"

    @property
    def source(self) -> URL:
        """The database's URL, its password included.

        Raises:
            SalespipeError: the password file cannot be read.
        """
        if self.source_url is None:
            return URL.create("sqlite", database=str(self.root / "source.db"))
        url = database_url(self.source_url.get_secret_value())
        if self.source_password is not None:
            return url.set(password=self.source_password.get_secret_value())
        if self.source_password_file is not None:
            try:
                return url.set(password=self.source_password_file.read_text(encoding="utf-8").rstrip("\r\n"))
            except (OSError, UnicodeDecodeError) as error:
                reason = error if isinstance(error, OSError) else "it is no text in UTF-8"
                hint = "correct SALESPIPE_SOURCE_PASSWORD_FILE"
                raise SalespipeError(f"The password file cannot be read: {reason}.", hint) from None
        return url

    @property
    def root(self) -> Path:
        """The home folder as an absolute path."""
        return self.home.expanduser().absolute()

    @property
    def lake(self) -> Path:
        """The lake's folder as an absolute path, where it is a folder."""
        return self._folder(self.lake_url, "lake")

    @property
    def lake_place(self) -> str:
        """Where the lake lies: an absolute path, or s3://bucket/prefix."""
        return self.lake_url if _in_s3(self.lake_url) else str(self.lake)

    @property
    def lake_in_s3(self) -> bool:
        """Whether the lake lies in S3."""
        return _in_s3(self.lake_url)

    @property
    def files(self) -> Path:
        """The folder of the online channel's files as an absolute path, where it is a folder."""
        return self._folder(self.files_url, "files")

    @property
    def files_place(self) -> str:
        """Where the online channel's files land: an absolute path, or s3://bucket/prefix."""
        return self.files_url if _in_s3(self.files_url) else str(self.files)

    @property
    def drops_files(self) -> bool:
        """Whether the synthetic company drops the files: never into a place that somebody named."""
        return self.synthetic and self.files_url is None

    @property
    def scratch(self) -> Path:
        """What is in the works on this machine, and can be lost."""
        return self.root / "scratch"

    @property
    def s3_server(self) -> S3Server:
        """Who serves s3://."""
        return S3Server(self.s3_endpoint_url, self.s3_region)

    def _folder(self, configured: str | None, name: str) -> Path:
        return Path(configured).expanduser().absolute() if configured else self.root / name

    @property
    def is_embedded(self) -> bool:
        """Whether the engine runs on this machine, and is started by the run itself."""
        return self.engine in ("sail", "spark") or self.engine.startswith("local")

    @property
    def needs_java(self) -> bool:
        """Whether a JVM is started on this machine: what speaks Spark Connect does without."""
        return self.engine not in ("sail", *SERVICES) and not self.engine.startswith("sc://")

    @property
    def first_month(self) -> str:
        """The first month, inclusive."""
        return self.start_month or "2024-01"

    @property
    def last_month(self) -> str:
        """The last month, inclusive: the current one where an external source has no end."""
        if self.end_month is not None:
            return self.end_month
        return "2025-12" if self.synthetic else months.month_of(datetime.now(UTC).date())

    @property
    def last_landed_month(self) -> str:
        """The last month whose rows land: without an end the next one, which begins east of Greenwich first."""
        return months.following(self.last_month) if self.is_open_ended else self.last_month

    @property
    def is_open_ended(self) -> bool:
        """Whether the months go on with the calendar."""
        return self.end_month is None and not self.synthetic

    @property
    def months(self) -> list[str]:
        """All months, in order."""
        return months.between(self.first_month, self.last_month)


def _in_s3(url: str | None) -> TypeGuard[str]:
    return url is not None and "://" in url
