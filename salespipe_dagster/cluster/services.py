"""The services that run a table's job: EMR Serverless and Glue, each by Dagster Pipes.

What the job counted comes back as an object beside what it staged: the services' logs may lag behind, and
of a job that failed Pipes reads none. Time is bounded here as well as there, and whatever ends a step, a job
does not outlive it.
"""

import shlex
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import dagster as dg
from botocore.exceptions import BotoCoreError, ClientError

from salespipe_dagster.cluster.bundle import Code
from salespipe_dagster.settings import Settings
from salespipe_spark.errors import SalespipeError
from salespipe_spark.job import Order

ENDED = ("SUCCESS", "SUCCEEDED", "FAILED", "CANCELLED", "STOPPED", "TIMEOUT", "ERROR")
MakeClient = Callable[..., Any]
"""Makes a client of AWS by its service's name, and by how often it may ask where it gets no answer."""
PATIENT = 8


class Watched:
    """A client of a service that remembers the job it started, and asks after it only for so long."""

    def __init__(self, client: Any, starter: Any, minutes: int) -> None:
        self._client = client
        self._starter = starter
        self._until = time.monotonic() + minutes * 60
        self._minutes = minutes
        self.started: dict[str, Any] = {}
        self.job: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        """Whatever else the client can do."""
        return getattr(self._client, name)

    def start_job_run(self, **parameters: Any) -> Any:
        """Start it, and remember which it is; asked once, as a lost answer is no reason to start a second one."""
        self.started = self._starter.start_job_run(**parameters)
        return self.started

    def get_job_run(self, **which: Any) -> Any:
        """How it is.

        Raises:
            SalespipeError: it has had its time.
        """
        response = self._client.get_job_run(**which)
        self.job = response.get("jobRun") or response.get("JobRun")
        if not self.has_ended and time.monotonic() > self._until:
            hint = "give it longer by SALESPIPE_JOB_MINUTES, or the cluster more workers; then run again"
            raise SalespipeError(f"The job had not ended after {self._minutes} minutes.", hint)
        return response

    @property
    def has_ended(self) -> bool:
        """Whether it is known to run no more."""
        return (self.job.get("state") or self.job.get("JobRunState")) in ENDED

    @property
    def said(self) -> str:
        """What the service says of it."""
        return str(self.job.get("stateDetails") or self.job.get("ErrorMessage") or "")


class Service(ABC):
    """A service of AWS that runs jobs of Spark."""

    name: str

    def __init__(self, settings: Settings, make_client: MakeClient | None = None) -> None:
        """A service that is not called before a job is run.

        Args:
            settings: which application, role or job, and how long it may take.
            make_client: makes the clients; else they are AWS's own, by AWS's own settings.
        """
        self._settings = settings
        self._client = make_client or self._aws_client

    def run(self, context: dg.AssetExecutionContext, order: Order, code: Code) -> dict[str, str]:
        """Run the job to its end; returns what the run shows of it.

        Raises:
            SalespipeError: it failed or took too long, with what the service says of it.
        """
        client = Watched(self._client(self.name), self._client(self.name, 1), self._settings.job_minutes)
        try:
            return self._run(client, context, order, code)
        except (RuntimeError, ClientError, BotoCoreError) as error:
            # What Pipes' clients raise of a job that failed, and what the service answers them.
            hint = f"look into its log: {self._log}; then run again"
            said = f"The job of {order.table} failed on {self.name}: {client.said or error}"
            raise SalespipeError(said, hint) from error
        finally:
            if client.started and not client.has_ended:
                context.log.warning(f"The job of {order.table} is cancelled.")
                try:
                    self._cancel(client)
                except (ClientError, BotoCoreError) as error:  # it has ended meanwhile, or is being cancelled
                    context.log.warning(f"{self.name} did not cancel it: {error}")

    @abstractmethod
    def probe(self) -> str:
        """Ask the service after what is configured; returns how it is. What it raises is boto's."""

    @abstractmethod
    def _run(self, client: Watched, context: dg.AssetExecutionContext, order: Order, code: Code) -> dict[str, str]: ...

    @abstractmethod
    def _cancel(self, client: Watched) -> None: ...

    @property
    @abstractmethod
    def _log(self) -> str:
        """Where the service keeps what the job printed."""

    def _reader(self) -> Any:
        from dagster_aws.pipes import PipesCloudWatchMessageReader

        return PipesCloudWatchMessageReader(client=self._client("logs"))

    def _aws_client(self, name: str, attempts: int = PATIENT) -> Any:
        import boto3
        from botocore.config import Config

        config = Config(retries={"total_max_attempts": attempts, "mode": "standard"}, connect_timeout=10)
        return boto3.client(name, region_name=self._settings.s3_region, config=config)


class EmrServerless(Service):
    """An application of EMR Serverless."""

    name = "emr-serverless"

    def _run(self, client: Watched, context: dg.AssetExecutionContext, order: Order, code: Code) -> dict[str, str]:
        from dagster_aws.pipes import PipesEMRServerlessClient

        settings = self._settings
        parameters = f"--py-files {shlex.quote(code.archive)} {settings.emr_parameters}".strip()
        pipes = PipesEMRServerlessClient(client=client, message_reader=self._reader())
        pipes.run(
            context=context.op_execution_context,
            start_job_run_params={
                "applicationId": settings.emr_application_id,
                "executionRoleArn": settings.emr_role_arn,
                "name": f"salespipe {order.table}",
                "executionTimeoutMinutes": settings.job_minutes,
                # Tried once: a second attempt would find what the first one left of its staging.
                "retryPolicy": {"maxAttempts": 1},
                "jobDriver": {
                    "sparkSubmit": {
                        "entryPoint": code.script,
                        "entryPointArguments": order.arguments(),
                        "sparkSubmitParameters": parameters,
                    }
                },
                "configurationOverrides": {
                    "monitoringConfiguration": {"cloudWatchLoggingConfiguration": {"enabled": True}}
                },
            },
        )
        return {"application": str(settings.emr_application_id), "job": client.started["jobRunId"]}

    def probe(self) -> str:
        """The application's state."""
        found = self._client(self.name).get_application(applicationId=self._settings.emr_application_id)
        return f"{found['application']['releaseLabel']}, {found['application']['state'].lower()}"

    def _cancel(self, client: Watched) -> None:
        client.cancel_job_run(applicationId=client.started["applicationId"], jobRunId=client.started["jobRunId"])

    @property
    def _log(self) -> str:
        return "CloudWatch, group /aws/emr-serverless"


class Glue(Service):
    """A job of Glue, whose workers and role are its own definition's; the script and arguments come with each run."""

    name = "glue"

    def _run(self, client: Watched, context: dg.AssetExecutionContext, order: Order, code: Code) -> dict[str, str]:
        from dagster_aws.pipes import PipesGlueClient

        self._definition(client)
        words = order.arguments()
        pipes = PipesGlueClient(dg.PipesEnvContextInjector(), self._reader(), client)
        pipes.run(
            context=context.op_execution_context,
            start_job_run_params={
                "JobName": str(self._settings.glue_job),
                "Timeout": self._settings.job_minutes,
                "Arguments": {
                    "--scriptLocation": code.script,
                    "--extra-py-files": code.archive,
                    **dict(zip(words[::2], words[1::2], strict=True)),
                },
            },
        )
        return {"definition": str(self._settings.glue_job), "job": client.started["JobRunId"]}

    def probe(self) -> str:
        """The version of Glue that the job is defined with."""
        found = self._definition(self._client(self.name))
        return f"job {found['Name']}, Glue {found.get('GlueVersion', 'of no version')}"

    def _definition(self, client: Any) -> dict[str, Any]:
        """The job's definition.

        Raises:
            SalespipeError: by it Glue starts a job again that failed, which nobody would watch then.
        """
        found = client.get_job(JobName=self._settings.glue_job)["Job"]
        if found.get("MaxRetries"):
            raise SalespipeError(f"The job {found['Name']} in Glue is retried.", "set its MaxRetries to 0")
        return found

    def _cancel(self, client: Watched) -> None:
        client.batch_stop_job_run(JobName=self._settings.glue_job, JobRunIds=[client.started["JobRunId"]])

    @property
    def _log(self) -> str:
        return "CloudWatch, group /aws-glue/jobs"


BY_NAME: dict[str, type[Service]] = {service.name: service for service in (EmrServerless, Glue)}


def service_of(settings: Settings) -> Service | None:
    """The service that is configured; None where an engine of this process transforms."""
    service = BY_NAME.get(settings.engine)
    return service(settings) if service else None
