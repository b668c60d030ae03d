"""Java's programs: those of JAVA_HOME, as Spark itself takes them, else those on the path."""

import os


def program(name: str) -> str:
    """The command by which a program of Java is started."""
    home = os.environ.get("JAVA_HOME")
    return f"{home}/bin/{name}" if home else name
