"""`make bench`: every figure that the project states, measured here and now, printed as ratios."""

import shutil
from contextlib import ExitStack

from rich.console import Console
from rich.table import Table

from adapter.sandbox.broker import Broker
from tests import servers
from tests.bench import fhirpath_speed, settlement_scale, ten_years
from tests.bench.messages import MedCom, small
from tests.bench.throughput import measure
from tests.kafka.cluster import ApacheKafka

out = Console()


def main() -> None:
    """Run all measurements."""
    with ExitStack() as stack:
        is_apache = shutil.which("java") is not None and shutil.which("mvn") is not None
        kafka = stack.enter_context(ApacheKafka.start() if is_apache else Broker.start())
        table = Table(
            "message", "bare pipe /s", "naive pipe /s", "adapter /s", "adapter : naive", "adapter : bare"
        )
        medcom = MedCom(servers.shared_folder())
        for title, source, message, count in (
            ("about 1 kB", "losus-r4", small, 4000),
            ("MedCom, 16 kB", "medcom-hospitalnotification", medcom, 2000),
        ):
            rates = measure(kafka.bootstrap, source, message, count)
            table.add_row(
                title,
                *(f"{rate:.0f}" for rate in (rates.bare, rates.naive, rates.adapter)),
                f"{rates.adapter / rates.naive:.2f}",
                f"{rates.adapter / rates.bare:.2f}",
            )
        out.print(f"Throughput, {'Apache Kafka' if is_apache else 'the sandbox broker (no Java here)'}:")
        out.print(table)
    out.print("FHIRPath, compiled by us against compiled by fhirpathpy:")
    found = fhirpath_speed.measure()
    for part in ("typical", "shipped"):
        ratios = ", ".join(f"{name} {found[part][name]:.1f}" for name in ("median", "least", "total"))
        out.print(f"  {part}: {len(found[part]['rows'])} expressions, times faster: {ratios}")
    out.print("A database of ten years (python -m tests.bench.ten_years CASES for more of it):")
    for line in ten_years.measure():
        out.print(f"  {line}")
    out.print("Settlement of a million stays, whole processes:")
    out.print(settlement_scale.measure())


if __name__ == "__main__":
    main()
