"""Tasks in child processes: what a fault of the device, a crash or a hang takes with it is one check.

A child sends what it finds as lines of JSON. After a check that has raised an exception it ends, since an
error of a GPU may stay for as long as the process; what is left of its task another child does.
"""
from __future__ import annotations

import faulthandler
import json
import os
import select
import signal
import sys
import tempfile
import time
import traceback
from typing import Any, Callable, NamedTuple, Optional, Sequence

MOST_KILLED = 2  #: children of a task that do not end by themselves; then what is left is not run
DUMP_SECONDS, REAP_SECONDS = 1.0, 10.0  #: for a child that is stopped: to say where it is, to be gone


def describe(error: BaseException) -> list[str]:
    """What was wrong first, where, and what was raised afterwards, by clean-up for instance."""
    chain = [error]
    while True:
        last = chain[-1]
        before = last.__cause__ or (None if last.__suppress_context__ else last.__context__)
        if before is None or before in chain:
            break
        chain.append(before)
    first = chain[-1]
    found = [f"{type(first).__name__}: {first}"]
    for frame in traceback.extract_tb(first.__traceback__)[-3:]:
        found.append(f"at {os.path.basename(frame.filename)}:{frame.lineno}, {frame.name}: {frame.line}")
    return found + [f"afterwards {type(later).__name__}: {later}" for later in chain[-2::-1]]


class Checks:
    """Where a task puts what it finds."""

    def __init__(self, send: Callable[[dict[str, Any]], None], done: Sequence[str] = (), is_child: bool = False) -> None:
        self.send, self.done, self.is_child = send, frozenset(done), is_child

    def begin(self, name: str, blame: str = "FAILED") -> bool:
        """Says what comes now: if it does not end, its result is `blame`. Whether to do it: false if it was already done."""
        if name not in self.done:
            self.send({"begin": name, "blame": blame})
        return name not in self.done

    def add(self, name: str, result: str, details: Sequence[str] = (), seconds: float = 0.0) -> None:
        """`result`: ok, FAILED or skipped."""
        self.send({"check": {"name": name, "result": result, "details": list(details), "seconds": round(seconds, 3)}})

    def check(self, name: str, work: Callable[[], Sequence[str]]) -> None:
        """Runs a check, which returns what is wrong."""
        if not self.begin(name):
            return
        begin = time.monotonic()
        try:
            wrong, has_raised = list(work()), False
        except Exception as error:  # pylint: disable=broad-except  # the others are run all the same
            wrong, has_raised = describe(error), True
        self.add(name, "FAILED" if wrong else "ok", wrong, time.monotonic() - begin)
        if has_raised:
            self.end()

    def end(self) -> None:
        """The rest is for another child. Nothing is cleaned up: on a device that is lost this may hang."""
        if self.is_child:
            os._exit(0)


class Task(NamedTuple):
    name: str
    work: Callable[[Checks], None]
    names: Sequence[str] = ()  #: of its checks, if that is known
    is_alone: bool = False  #: nothing else is to run meanwhile


class _Child:
    """A process that works on a task. `done`: names of checks that it leaves out."""

    def __init__(self, task: Task, done: list[str], killed: int) -> None:
        self.task, self.done, self.killed = task, done, killed
        self.current, self.blame, self.is_over, self.stopped, self._rest = "", "FAILED", False, "", b""
        self._log = tempfile.TemporaryFile()  # pylint: disable=consider-using-with
        self.pipe, theirs = os.pipe()
        os.set_blocking(self.pipe, False)
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.pipe)
            self._run(theirs)
        os.close(theirs)
        self.last = time.monotonic()

    def _run(self, pipe: int) -> None:
        status = 1
        try:
            os.setsid()  # so that what it starts, such as a compiler's processes, is stopped with it
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            for output in (1, 2):
                os.dup2(self._log.fileno(), output)
            faulthandler.enable(file=2, all_threads=False)
            faulthandler.register(signal.SIGUSR1, file=2, all_threads=False)

            def send(message: dict[str, Any]) -> None:
                data = json.dumps(message).encode() + b"\n"
                while data:
                    data = data[os.write(pipe, data):]
            self.task.work(Checks(send, self.done, is_child=True))
            send({"over": True})
            status = 0
        except BaseException:  # pylint: disable=broad-except  # to its log
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def messages(self) -> list[dict[str, Any]]:
        """What it has sent since."""
        while True:
            try:
                data = os.read(self.pipe, 1 << 16)
            except BlockingIOError:
                break
            if not data:
                break
            self._rest += data
        lines = self._rest.split(b"\n")
        self._rest = lines.pop()
        return [json.loads(line) for line in lines]

    def take(self, message: dict[str, Any]) -> None:
        self.last = time.monotonic()
        self.current, self.blame = message.get("begin", self.current), message.get("blame", self.blame)
        self.is_over = self.is_over or "over" in message
        if "check" in message:
            self.done.append(message["check"]["name"])
            self.current, self.blame = "", "FAILED"

    def ended(self) -> Optional[int]:
        """Its exit status, negative a signal, when it has ended."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None

    def stop(self, why: str) -> int:
        """Asks where it is, and kills it."""
        self.stopped = why
        self._signal(signal.SIGUSR1, is_group=False)
        time.sleep(DUMP_SECONDS)
        self._signal(signal.SIGKILL)
        end = time.monotonic() + REAP_SECONDS
        while time.monotonic() < end:
            status = self.ended()
            if status is not None:
                return status
            time.sleep(0.02)
        return -signal.SIGKILL  # the driver holds it; nobody waits for it

    def _signal(self, number: int, is_group: bool = True) -> None:
        try:
            (os.killpg if is_group else os.kill)(self.pid, number)
        except OSError:  # it has ended, or it has not yet made its group
            if is_group:
                os.kill(self.pid, number)

    def log(self) -> list[str]:
        """The last lines that it printed, and the innermost of where it was."""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").splitlines()
        where = [i for i, line in enumerate(lines) if "(most recent call first)" in line]
        cut = where[0] if where else len(lines)
        return lines[max(0, cut - 6):cut + 5]

    def close(self) -> None:
        os.close(self.pipe)
        self._log.close()


class Children:
    """Runs tasks; `take` gets what they send (other than what is of this module), `add` a check's result."""

    def __init__(self, add: Callable[[dict[str, Any]], None], take: Callable[[dict[str, Any]], None], jobs: int,
                 check_limit: float, end: Optional[float]) -> None:
        self._add, self._take, self._jobs, self._check_limit, self._end = add, take, jobs, check_limit, end
        self._running: list[_Child] = []

    def _check(self, name: str, result: str, details: Sequence[str]) -> None:
        self._add({"name": name, "result": result, "details": list(details), "seconds": 0.0})

    def _not_run(self, task: Task, done: Sequence[str], why: str) -> None:
        for name in [name for name in task.names if name not in done] or [task.name]:
            self._check(name, "not run", [why])

    def run(self, tasks: Sequence[Task]) -> None:
        """All of them, each result as it comes. Whatever ends it, all checks are said to be run or not."""
        waiting: list[tuple[Task, list[str], int]] = [(task, [], 0) for task in tasks]
        why = "the run was interrupted"
        try:
            while waiting or self._running:
                if self._end is not None and time.monotonic() >= self._end:
                    why = "the limit of time came first"
                    return
                self._start(waiting)
                readable, _, _ = select.select([child.pipe for child in self._running], [], [], 0.05)
                for child in list(self._running):
                    self._serve(child, waiting)
                if readable:
                    time.sleep(0.002)  # one whose pipe is at its end is about to end
        finally:
            for child in self._running:
                child.stop(why)
                self._messages(child)
                if child.current:
                    self._check(child.current, "not run", [f"{why}, in the middle of it"])
                    child.done.append(child.current)
                if not child.current or any(name not in child.done for name in child.task.names):
                    self._not_run(child.task, child.done, why)
                child.close()
            self._running.clear()
            for task, done, _ in waiting:
                self._not_run(task, done, why)

    def _start(self, waiting: list[tuple[Task, list[str], int]]) -> None:
        while waiting and len(self._running) < self._jobs:
            if self._running and (waiting[0][0].is_alone or self._running[0].task.is_alone):
                return
            self._running.append(_Child(*waiting.pop(0)))

    def _messages(self, child: _Child) -> None:
        for message in child.messages():
            child.take(message)
            if "check" in message:
                self._add(message["check"])
            elif not {"begin", "over"} & set(message):
                self._take(message)

    def _serve(self, child: _Child, waiting: list[tuple[Task, list[str], int]]) -> None:
        status = child.ended()
        self._messages(child)
        if status is None:
            if time.monotonic() - child.last < self._check_limit:
                return
            status = child.stop(f"it took longer than {self._check_limit:g} seconds")
            self._messages(child)
        self._running.remove(child)
        if not (child.is_over and status == 0):
            self._ended_early(child, status, waiting)
        child.close()

    def _ended_early(self, child: _Child, status: int, waiting: list[tuple[Task, list[str], int]]) -> None:
        if status == 0:  # after an exception
            waiting.insert(0, (child.task, child.done, child.killed))
            return
        why = child.stopped or (f"ended by {signal.Signals(-status).name}" if status < 0 else f"ended with {status}")
        name = child.current or child.task.name
        self._check(name, child.blame, [why, *child.log()])
        is_known = bool(child.current)
        child.done.append(name)
        left = [entry for entry in child.task.names if entry not in child.done]
        if is_known and child.killed + 1 < MOST_KILLED:
            waiting.insert(0, (child.task, child.done, child.killed + 1))
        elif left:
            self._not_run(child.task, child.done, "of this task a process had to be given up before")
