"""EMR Serverless, Glue and CloudWatch as far as a job needs them; what a service would run is run here, for real.

The clients are boto's own, so that what they are handed is held to the services' own shapes; only what would
go over the network is answered here, and a job is a process of `spark-submit` on this machine.
"""

import itertools
import os
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import dagster as dg
import pyspark
from botocore.exceptions import ClientError

from salespipe_dagster_tests.s3_servers import CREDENTIALS, REGION, S3
from salespipe_spark.apache import S3A_JARS, s3a_settings
from salespipe_spark.lake.store import S3Server

SPARK_HOME = Path(pyspark.__path__[0])
ANSWERED = SimpleNamespace(status_code=200)


@dataclass
class Run:
    """A job that was started."""

    process: subprocess.Popen[bytes]
    log: Path
    cancelled: bool = False

    @property
    def state(self) -> str:
        """In the words of EMR Serverless."""
        if self.cancelled:
            return "CANCELLED"
        code = self.process.poll()
        return "RUNNING" if code is None else "FAILED" if code else "SUCCESS"


@dataclass
class JobsOfAws:
    """The three services; `changed` are arguments that a job is handed otherwise, to see it fail."""

    server: S3
    folder: Path
    jars: Path
    changed: dict[str, str] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    interrupt: bool = False
    retries: int = 0

    def client(self, name: str, *_: int) -> Any:
        """A client of the service of this name."""
        client = boto3.client(name, region_name=REGION, **_credentials())
        given: dict[str, Any] = {}

        def remember(params: dict[str, Any], **_: Any) -> None:
            given.clear()
            given.update(params)

        def answer(model: Any, **_: Any) -> tuple[Any, Any]:
            self.asked.append(model.name)
            return ANSWERED, getattr(self, f"_{name.replace('-', '_')}_{model.name}")(**given)

        client.meta.events.register(f"provide-client-params.{name}", remember)
        client.meta.events.register(f"before-call.{name}", answer)
        return client

    def stop(self) -> None:
        """End whatever still runs."""
        for run in self.runs.values():
            _kill(run)

    def _emr_serverless_StartJobRun(self, **given: Any) -> dict[str, Any]:
        submit = given["jobDriver"]["sparkSubmit"]
        words = shlex.split(submit["sparkSubmitParameters"])
        driver = "spark.emr-serverless.driverEnv."
        told = [word.removeprefix(driver).partition("=") for word in words if word.startswith(driver)]
        archive = words[words.index("--py-files") + 1]
        environment = {name: value for name, _, value in told}
        number = self._start(submit["entryPoint"], archive, submit["entryPointArguments"], environment)
        return {"applicationId": given["applicationId"], "arn": "arn:of:it", "jobRunId": number}

    def _emr_serverless_GetJobRun(self, **given: Any) -> dict[str, Any]:
        run = self._run(given["jobRunId"])
        monitoring = {"monitoringConfiguration": {"cloudWatchLoggingConfiguration": {"enabled": True}}}
        names = {"applicationId": given["applicationId"], "jobRunId": given["jobRunId"]}
        said = {"state": run.state, "stateDetails": "the service's own words"}
        return {"jobRun": {**names, **said, "configurationOverrides": monitoring}}

    def _emr_serverless_CancelJobRun(self, **given: Any) -> dict[str, Any]:
        run = self.runs[given["jobRunId"]]
        if run.cancelled:
            said = {"Code": "ValidationException", "Message": "Cannot cancel a job run in state CANCELLED"}
            raise ClientError({"Error": said}, "CancelJobRun")
        _kill(run)
        return given

    def _emr_serverless_GetDashboardForJobRun(self, **_: Any) -> dict[str, Any]:
        return {"url": "https://dashboard.example"}

    def _emr_serverless_GetApplication(self, **_: Any) -> dict[str, Any]:
        return {"application": {"type": "Spark", "state": "STARTED", "releaseLabel": "emr-spark-8.0.0"}}

    def _glue_StartJobRun(self, **given: Any) -> dict[str, Any]:
        arguments: dict[str, str] = dict(given["Arguments"])
        script, archive = arguments.pop("--scriptLocation"), arguments.pop("--extra-py-files")
        words = ["--JOB_NAME", given["JobName"], *itertools.chain(*arguments.items())]
        return {"JobRunId": self._start(script, archive, words, {})}

    def _glue_GetJobRun(self, **given: Any) -> dict[str, Any]:
        words = {"SUCCESS": "SUCCEEDED", "CANCELLED": "STOPPED"}
        run = self._run(given["RunId"])
        said = {"JobRunState": words.get(run.state, run.state), "ErrorMessage": "the service's own words"}
        return {"JobRun": {"Id": given["RunId"], "JobName": given["JobName"], "LogGroupName": "/aws-glue/jobs", **said}}

    def _glue_BatchStopJobRun(self, **given: Any) -> dict[str, Any]:
        _kill(self.runs[given["JobRunIds"][0]])
        return {"SuccessfulSubmissions": [{"JobName": given["JobName"], "JobRunId": given["JobRunIds"][0]}]}

    def _glue_GetJob(self, **given: Any) -> dict[str, Any]:
        return {"Job": {"Name": given["JobName"], "GlueVersion": "5.1", "MaxRetries": self.retries}}

    def _logs_DescribeLogStreams(self, **given: Any) -> dict[str, Any]:
        return {"logStreams": [{"logStreamName": given["logStreamNamePrefix"]}]}

    def _logs_GetLogEvents(self, **given: Any) -> dict[str, Any]:
        number = next(number for number in self.runs if number in given["logStreamName"])
        lines = self.runs[number].log.read_text().splitlines()
        seen = int(given.get("nextToken", "0"))
        events = [{"timestamp": 0, "message": line, "ingestionTime": 0} for line in lines[seen:]]
        return {"events": events, "nextForwardToken": str(len(lines))}

    def _run(self, number: str) -> Run:
        if self.interrupt:
            raise dg.DagsterExecutionInterruptedError
        return self.runs[number]

    def _start(self, script: str, archive: str, arguments: list[str], environment: dict[str, str]) -> str:
        """Submit it; the number of the run."""
        number = f"run-{len(self.runs)}"
        place = self.folder / number
        place.mkdir(parents=True)
        local = [self._fetched(uri, place) for uri in (archive, script)]
        words = [self.changed.get(before, word) for before, word in itertools.pairwise(["", *arguments])]
        settings = s3a_settings(S3Server(self.server.endpoint_url, REGION)) | {
            "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",  # s3:// is the services' own
            "spark.jars.packages": ",".join(S3A_JARS),
            "spark.jars.ivy": str(self.jars),
            # As Glue has it: a table without rows must be found all the same.
            "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
        }
        options = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
        command = [SPARK_HOME / "bin" / "spark-submit", "--master", "local[1]", *options, "--py-files", *local, *words]
        around = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SALESPIPE_", "SPARK_", "DAGSTER_", "PYTHON"))
        }
        log = place / "stdout"
        with log.open("wb") as out, (place / "stderr").open("wb") as err:
            process = subprocess.Popen(
                list(map(str, command)),
                cwd=place,
                env=around | CREDENTIALS | environment | _python(),
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self.runs[number] = Run(process, log)
        return number

    def _fetched(self, uri: str, place: Path) -> Path:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        target = place / Path(key).name
        self.server.client().download_file(bucket, key, str(target))
        return target


def _kill(run: Run) -> None:
    if run.process.poll() is None:
        run.cancelled = True
        os.killpg(run.process.pid, signal.SIGKILL)
        run.process.wait()


def _python() -> dict[str, str]:
    return {"PYSPARK_PYTHON": sys.executable, "SPARK_HOME": str(SPARK_HOME)}


def _credentials() -> dict[str, str]:
    return {"aws_access_key_id": "nobody", "aws_secret_access_key": "nothing"}
