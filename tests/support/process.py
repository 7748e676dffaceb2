"""One server process of a test: known by its id, never by its name. It ends when the test closes it, when the test fails, and
(by the kernel's parent-death signal) when the test itself is killed."""
import os
import signal
import socket
import subprocess
import time


class StartError(Exception):
    """The server could not be brought up; the text ends with what it said last."""


def free_ports(count):
    """Ports of 127.0.0.1 that nobody listens on now; all are held until all are chosen, so that they differ."""
    held = [socket.socket() for _ in range(count)]
    try:
        for s in held:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in held]
    finally:
        for s in held:
            s.close()


def tail(path, count=12):
    return "\n".join(path.read_text(errors="replace").splitlines()[-count:]) if path.exists() else ""


def wait_until(ready, alive, seconds, what, log):
    """Polls `ready` until it is true; StartError when `alive` ends first or the time is over."""
    deadline = time.monotonic() + seconds
    while not ready():
        if not alive():
            raise StartError(f"{what} ended while it started\n{tail(log)}")
        if time.monotonic() > deadline:
            raise StartError(f"{what} did not answer in {seconds} s\n{tail(log)}")
        time.sleep(0.1)


class Server:
    """A child process and its log. The parent-death signal belongs to the thread that calls start(): start servers from the
    main thread, or from one that lives as long as they must."""

    death_signal = "KILL"
    stop_signal = signal.SIGTERM
    user = None

    def __init__(self, log):
        self.log = log
        self.process = None

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def spawn(self, argv, cwd=None, env=None):
        drop = [f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"] if self.user else []
        with open(self.log, "ab") as log:
            # A session of its own: Ctrl-C at the terminal reaches the test, which then stops its servers in order.
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", self.death_signal, *drop, *map(str, argv)], cwd=cwd,
                                            env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)

    def cpu_seconds(self):
        """Processor time of the process and all its children, running and ended, while it lives."""
        tick, total, pids = os.sysconf("SC_CLK_TCK"), 0, [str(self.process.pid)]
        while pids:
            pid = pids.pop()
            try:
                with open(f"/proc/{pid}/stat") as stat:
                    fields = stat.read().rpartition(")")[2].split()
                total += sum(int(f) for f in fields[11:15])
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as children:
                        pids += children.read().split()
            except (FileNotFoundError, ProcessLookupError):
                continue
        return total / tick

    def end(self, number, seconds=60):
        """Sends a signal and waits; SIGKILL after `seconds`. Nothing to do for a process that has ended."""
        if not self.alive():
            return
        self.process.send_signal(number)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.end(self.stop_signal)

    def kill(self):
        """kill -9: nothing is flushed, the data directory stays as it is."""
        self.end(signal.SIGKILL)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
