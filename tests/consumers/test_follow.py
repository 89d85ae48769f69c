"""follow.sh without a broker: what several readers print at the same time is not mixed up."""

import os
import subprocess
from pathlib import Path

from tests.consumers.running import FOLDER

#: Three partitions, no snapshot, and each record printed bit by bit, as `kcat -u` does.
KCAT = r"""#!/usr/bin/env bash
case " $* " in
*" -L "*) printf ' partition %s\n' 0 1 2 ;;
*" -Q "*) echo "topic [0] offset 0" ;;
*" -p "*)
  partition=$(sed 's/.* -p \([0-9]*\) .*/\1/' <<<" $* ")
  for revision in 1 2 3 4 5; do
    for part in "case-$partition" '\t9\t' ce_type=se.losus.case.changed.v1 \
      '\t{"revision":' "$revision" ',"of":' "$partition" '}' '\n'; do
      printf '%b' "$part"
      sleep 0.003
    done
  done
  ;;
esac
"""


def test_lines_of_several_partitions_come_whole(tmp_path: Path) -> None:
    kcat = tmp_path / "kcat"
    kcat.write_text(KCAT)
    kcat.chmod(0o755)
    done = subprocess.run(
        ["bash", str(FOLDER / "kcat" / "follow.sh"), "127.0.0.1:1", "2380", "--once"],
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    expected = [
        f'case-{partition}\t{revision}\t{{"revision":{revision},"of":{partition}}}'
        for partition in range(3)
        for revision in range(1, 6)
    ]
    assert sorted(done.stdout.splitlines()) == expected
