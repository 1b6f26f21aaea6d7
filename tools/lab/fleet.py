"""The laboratory's fleet: starts real daemons, asks them over their control sockets, ends exactly what it started. Standard library only."""
import http.client
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time

MIB = 1 << 20


class Refused(Exception):
    """A daemon or a command said no; the text says why."""


def end_when_asked():
    """SIGTERM, which is what a test's deadline sends, becomes an exception: whoever waits in `finally` ends what it started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


class SocketConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("ferryd", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


class Daemon:
    """One process, restartable; its log goes to log/NAME.log."""

    def __init__(self, fleet, name, words):
        self.fleet, self.name, self.words, self.process = fleet, name, words, None
        self.socket = fleet.path(name, "ctl")

    def start(self):
        with open(self.fleet.path("log", self.name + ".log"), "ab") as log:
            self.process = subprocess.Popen(self.words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=dict(os.environ, **self.fleet.environment))
        return self

    def end(self, number=signal.SIGTERM, wait=6):
        if not self.process:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(wait)
        except subprocess.TimeoutExpired:
            print(f"{self.name} did not end within {wait} s", file=sys.stderr)
            self.process.kill()
            self.process.wait()
        self.process = None

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def ask(self, path, method="GET", body=None):
        connection = SocketConnection(self.socket)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"} if body is not None else {})
            answer = connection.getresponse()
            data = json.loads(answer.read() or b"null")
        except (OSError, ValueError, http.client.HTTPException) as why:
            raise Refused(f"{self.name}: {why}") from why
        finally:
            connection.close()
        if answer.status >= 400:
            raise Refused(f"{self.name}: {data.get('detail', data)}")
        return data


class Fleet:
    def __init__(self, work):
        self.work, self.daemons, self.others = work, {}, []
        self.environment = {}                   # what every daemon gets besides ours
        os.makedirs(self.path("log"), exist_ok=True)

    def path(self, *parts):
        return os.path.join(self.work, *parts)

    def config(self, name, options):
        os.makedirs(self.path(name), exist_ok=True)
        with open(self.path(name, "ferryd.conf"), "w", encoding="utf-8") as file:
            for key, value in options:
                file.write(f"{key} = {value}\n")

    def daemon(self, name, options):
        """Writes NAME/ferryd.conf and starts a ferryd with it."""
        options = [("control-socket", self.path(name, "ctl")), ("state-dir", self.path(name, "state")), ("log-level", "info")] + options
        self.config(name, options)
        daemon = Daemon(self, name, [self.path("bin", "ferryd"), "--config", self.path(name, "ferryd.conf")])
        self.daemons[name] = daemon.start()
        return daemon

    def program(self, name, words):
        daemon = Daemon(self, name, words)
        self.others.append(daemon.start())
        return daemon

    def ferry(self, line, socket_of="site", show=True, quiet=False):
        """Runs `ferry LINE` as a person would and prints it; returns its output."""
        if show:
            print(f"\033[1m$ ferry {line}\033[0m" if sys.stdout.isatty() else f"$ ferry {line}", flush=True)
        words = [self.path("bin", "ferry")] + shlex.split(line)
        environment = dict(os.environ, FERRY_SOCKET=self.path(socket_of, "ctl"))
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)
        if show and not quiet and done.stdout:
            print(done.stdout.rstrip(), flush=True)
        if done.returncode:
            raise Refused(f"ferry {line}: exit {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def until(self, what, test, seconds):
        """Waits for test() to be true; asks four times a second."""
        end = time.monotonic() + seconds
        last = None
        while time.monotonic() < end:
            try:
                if test():
                    return
            except (Refused, subprocess.TimeoutExpired) as why:
                last = why
            for daemon in list(self.daemons.values()):
                if daemon.process and daemon.process.poll() is not None:
                    raise Refused(f"{daemon.name} ended by itself ({daemon.process.returncode}); see its log")
            time.sleep(0.25)
        raise Refused(f"waited {seconds} s for {what}" + (f": {last}" if last else ""))

    def end(self):
        for daemon in list(self.daemons.values()):
            if daemon.process:
                daemon.process.send_signal(signal.SIGTERM)
        for daemon in list(self.daemons.values()) + self.others:
            daemon.end()
