"""`make soak MINUTES=20`: the long proof by faults; exit code 1 where anything is wrong."""

import argparse
import asyncio
import sys

from tests.soak.soak import soak


def main() -> int:
    """Run it, and print what was done and found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=3)
    given = parser.parse_args()
    report = asyncio.run(soak(seed=given.seed, seconds=given.minutes * 60, brokers=given.brokers))
    print("\n".join(report.lines()))
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
