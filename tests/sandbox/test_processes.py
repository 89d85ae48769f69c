"""What a guardian promises: one program at a time, ended with all that it started."""

import os
import socket
import sys

import psutil
import pytest

from adapter.errors import UnavailableError
from adapter.sandbox.processes import LOOPBACK, Guardian, Program, free_ports, run, start_listening
from tests.sandbox.parents import left_over
from tests.servers import eventually


@pytest.fixture
def guardian():
    with Guardian() as one:
        yield one


def shell(guardian, script, **more):
    return Program(("sh", "-c", script), log=guardian.folder / "log", **more)


def family(pid):
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


@pytest.mark.parametrize(
    ("script", "end", "exit_code", "because"),
    [
        ("exec sleep 60", "stop", -15, "the stop signal reaches it"),
        ("exec sleep 60", "kill", -9, "kill is kill -9"),
        ("trap '' TERM; while :; do sleep 60; done", "stop", -9, "after the grace it is killed"),
        ("trap 'exit 3' TERM; sleep 60 & wait", "stop", 3, "it may end in its own way; its child is killed"),
        ("setsid sleep 60 & exec sleep 60", "kill", -9, "a child in a session of its own is found too"),
        ("(setsid sleep 60 &); exec sleep 60", "stop", -15, "an orphan of its is found too"),
        ("exit 7", "stop", 7, "to stop what has ended is no fault"),
    ],
)
def test_a_program_ends_with_all_that_it_started(guardian, script, end, exit_code, because):
    pid = guardian.start(shell(guardian, f"echo up; {script}", grace_s=0.3))
    assert eventually(lambda: "up" in (guardian.folder / "log").read_text())
    seen = psutil.Process(guardian._process.pid).children(recursive=True)
    if exit_code == 7:
        assert eventually(lambda: not guardian.is_running)
    getattr(guardian, end)()
    assert (guardian.exit_code(), guardian.is_running) == (exit_code, False), because
    assert not [process for process in seen if process.is_running()], because
    assert not psutil.pid_exists(pid), because


def test_a_second_program_takes_the_place_of_the_first(guardian):
    first = guardian.start(shell(guardian, "exec sleep 60"))
    second = guardian.start(shell(guardian, "exec sleep 60"))
    assert not psutil.pid_exists(first)
    assert [process.pid for process in family(guardian._process.pid)[1:]] == [second]


def test_a_guardian_ends_its_folder_and_program_when_closed():
    with Guardian() as one:
        pid = one.start(shell(one, "exec sleep 60"))
        assert one.folder.stat().st_mode & 0o777 == 0o700
    assert not one.folder.exists()
    assert not psutil.pid_exists(pid)
    with pytest.raises(UnavailableError, match="was closed"):
        one.stop()


def test_what_cannot_be_run_is_said_and_leaves_the_guardian_well(guardian):
    with pytest.raises(UnavailableError, match="no-such-program: No such file"):
        guardian.start(Program(("no-such-program",), log=guardian.folder / "log"))
    assert (guardian.is_running, guardian.exit_code()) == (False, None)
    run(guardian, shell(guardian, "exit 0"))
    with pytest.raises(UnavailableError, match="sh failed: the reason"):
        run(guardian, shell(guardian, "echo the reason >&2; exit 1"))


def test_a_killed_guardian_is_told_and_its_folder_still_removed():
    one = Guardian()
    server = psutil.Process(one.start(shell(one, "exec sleep 60")))
    psutil.Process(one._process.pid).kill()
    with pytest.raises(UnavailableError, match="guardian"):
        one.stop()
    one.close()
    assert not one.folder.exists()
    if sys.platform == "linux":
        assert left_over([server]) == []


_LISTEN = """
import socket, sys, time
server = socket.create_server(('127.0.0.1', int(sys.argv[1])))
print('up', flush=True)
time.sleep(60)
"""


def listener(guardian, port):
    return Program((sys.executable, "-I", "-S", "-c", _LISTEN, str(port)), log=guardian.folder / "log")


def says_up(guardian):
    return lambda _pid, _port: "up" in (guardian.folder / "log").read_text()


def test_a_port_taken_in_between_is_passed_over(guardian):
    with socket.create_server((LOOPBACK, 0)) as other:
        ports = (other.getsockname()[1], *free_ports(1))
        port = start_listening(guardian, lambda port: listener(guardian, port), says_up(guardian), ports)
    assert port == ports[1]


def test_a_server_that_does_not_come_up_gives_its_last_words(guardian):
    with socket.create_server((LOOPBACK, 0)) as other:
        taken = (other.getsockname()[1],) * 2
        with pytest.raises(UnavailableError, match=r"did not start: .*Address already in use"):
            start_listening(guardian, lambda port: listener(guardian, port), says_up(guardian), taken)


def test_a_server_that_never_answers_is_killed(guardian):
    with pytest.raises(UnavailableError, match="did not start"):
        start_listening(guardian, lambda port: listener(guardian, port), lambda *_: False, free_ports(1), 0.2)
    assert not guardian.is_running


def test_ports_differ_and_lie_below_those_of_outgoing_connections():
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert all(12_000 <= port < 32_000 for port in ports)


def test_the_environment_goes_to_the_program_and_not_to_the_arguments(guardian):
    pid = guardian.start(shell(guardian, "exec sleep 60", env={**os.environ, "SECRET": "xyzzy"}))
    process = psutil.Process(pid)
    assert eventually(lambda: process.environ().get("SECRET") == "xyzzy")
    assert not any("xyzzy" in word for one in family(guardian._process.pid) for word in one.cmdline())
