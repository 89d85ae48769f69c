"""Apache Kafka's jars, fetched once by Maven as `pom.xml` says, into `.cache/kafka/` of the repository.

Beside them an archive of loaded classes (Java's class data sharing), which halves the start of a broker:
`cluster` makes it once. Java leaves it aside where it does not fit.
"""

from pathlib import Path

from tests.jars import fetched
from tests.servers import JVM, UNVERIFIED, java

_POM = Path(__file__).with_name("pom.xml")


def kafka_libraries() -> Path:
    """Give the folder of the jars; another pom.xml gets another folder."""
    java()  # first of all: without it there is nothing to fetch for
    return fetched(_POM, "kafka", "Apache Kafka")


def class_archive() -> Path:
    """Where the archive of loaded classes is, or is to be."""
    folder = kafka_libraries()
    return folder.with_name(f"{folder.name}.jsa")


def jvm(heap: str, archive: str = "SharedArchiveFile", path: Path | None = None) -> tuple[str, ...]:
    """Options for a Java that lives for seconds; nothing of its own on stdout, which a caller may parse."""
    return (
        f"-Xmx{heap}",
        *JVM,
        *(UNVERIFIED if archive == "SharedArchiveFile" else ()),
        "-Xlog:disable",
        f"-XX:{archive}={path or class_archive()}",
        "-cp",
        f"{kafka_libraries()}/*",
    )
