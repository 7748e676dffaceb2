"""The processes of the scaled-out form, one for each role, ended by process id with the test.

    with Roles(porta, ["-c", config, "--set", …], log_directory) as roles: …
"""
import signal

from .process import Server, tail

# Two resolvers: one works, the other stands by.
ROLES = ("connect", "map", "resolve", "resolve", "project", "serve")


class Role(Server):
    def __init__(self, porta, name, where, log):
        super().__init__(log)
        self.name = name
        self.argv = [porta, "run", "--role", name, *where, "--set", "server.port=0"]
        self.env = {}

    def start(self):
        if not self.alive():
            self.spawn(self.argv, env=self.env)
        return self

    def peak_mib(self):
        """Peak resident memory while it lives."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next((int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM")), 0)


class Roles:
    """A role that ends is reported by ended(), not restarted: whoever wants that calls start() on it."""

    def __init__(self, porta, where, directory, names=ROLES):
        self.names = list(names)
        self.members = [Role(porta, name, where, directory / f"{n}-{name}.log") for n, name in enumerate(self.names)]

    def __enter__(self):
        for role in self.members:
            role.start()
        return self

    def __exit__(self, *_):
        # All are asked first, then waited for: they end side by side.
        for role in self.members:
            if role.alive():
                role.process.send_signal(signal.SIGTERM)
        for role in self.members:
            role.stop()

    def ended(self):
        """What the first role that has ended said last; empty while all run."""
        for role in self.members:
            if not role.alive():
                return f"the role {role.name} ended with {role.process.returncode}\n{tail(role.log)}"
        return ""

    def said(self):
        """The last lines of every role's log, for a report."""
        return "\n".join(f"[{role.log.stem}]\n{tail(role.log)}" for role in self.members if role.log.stat().st_size)
