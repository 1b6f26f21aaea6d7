#!/usr/bin/env python3
"""Three months of patching, 2027-02-01 to 2027-05-01, against real daemons whose wall clock this program moves. Every expectation is what the
reference says must happen, and what must not; the calendar of what did happen is printed. Run it by months.sh.

Exit status 0 only when everything happened when it had to, and no status message was lost."""
import argparse
import datetime
import json
import os
import re
import signal
import subprocess
import sys
import time
import zoneinfo

from fleet import Fleet, Refused, end_when_asked

LANE = int(os.environ.get("LANE") or 0)         # several laboratories at once: each has addresses of its own
HQ = f"127.0.{14 + 10 * LANE}"
SITE, DP, ORIGIN = f"{HQ}.1:8440", f"{HQ}.2:8480", f"{HQ}.3:8491"
NET = {"a": f"127.{20 * LANE + 5}", "b": f"127.{20 * LANE + 6}"}
AWAY = f"127.{20 * LANE + 7}.0.9"               # outside every boundary
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
NODES = {"pilot-1": "a", "a-1": "a", "server-1": "a", "laptop-1": "a", "b-1": "b", "b-2": "b"}
ZONES = {"b-2": NEW_YORK}


class Wrong(Exception):
    """Something did not happen, or did."""


class Months:
    def __init__(self, work):
        self.fleet, self.now, self.calendar, self.known, self.address = Fleet(work), None, [], {}, {}
        # The clock of whole processes: certificates of the swarm are checked by OpenSSL, which asks the C library.
        self.clock = self.fleet.path("clock")
        library = "/usr/$LIB/faketime/libfaketimeMT.so.1"       # the dynamic linker knows $LIB
        self.fleet.environment = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": self.clock, "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
        self.set_clock(self.moment("2027-02-01 09:00"))

    # -- time ----------------------------------------------------------------------------------------------------------------------

    @staticmethod
    def moment(text, zone=BERLIN):
        return datetime.datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=zone)

    def set_clock(self, moment):
        self.now = moment
        with open(self.clock + ".new", "w", encoding="ascii") as file:
            file.write(f"{int(moment.timestamp() - time.time()):+d}\n")
        os.rename(self.clock + ".new", self.clock)

    def at(self, text, zone=BERLIN):
        """Moves everybody's clock; what follows from it is looked at afterwards."""
        moment = self.moment(text, zone)
        if moment < self.now:
            raise Wrong(f"{text} lies behind")
        self.observe()
        self.set_clock(moment)

    def say(self, text):
        line = f"{self.now.astimezone(BERLIN):%a %d %b %H:%M %Z}  {text}"
        self.calendar.append(line)
        print(line, flush=True)

    def observe(self):
        """Whatever the nodes say that is new goes into the calendar, with the moment they say it happened."""
        for name in self.known:
            for update in self.updates(name):
                key, state = (name, update["id"]), update["state"]
                if state in ("installed", "failed") and self.known[name].get(key) != state:
                    self.known[name][key] = state
                    self.say(f"    {name:9} {update['name']} {update['version']} {state}" + (f": {update['text']}" if state == "failed" else ""))

    # -- asking --------------------------------------------------------------------------------------------------------------------

    def ferry(self, line, on="site", quiet=True):
        self.say(("" if on == "site" else f"[{on}] ") + f"$ ferry {line}")
        return self.fleet.ferry(line, socket_of=on, show=False, quiet=quiet)

    def ask(self, line, on="site"):
        return json.loads(self.fleet.ferry(line + " --json", socket_of=on, show=False))

    def refused(self, line, part, on="site"):
        try:
            self.ferry(line, on)
        except Refused as why:
            if not re.search(part, str(why)):
                raise Wrong(f"ferry {line} was refused, but not for {part}: {why}") from why
            self.say(f"    refused: {str(why).splitlines()[0].split(': ', 3)[-1][:160]}")
            return
        raise Wrong(f"ferry {line} was not refused")

    def updates(self, name):
        try:
            return self.fleet.daemons[name].ask("/api/v1/node/updates")["items"] if self.fleet.daemons[name].process else []
        except Refused:
            return []

    def update(self, name, update, version=None):
        return next((u for u in self.updates(name) if u["name"] == update and version in (None, u["version"])), {})

    def is_installed(self, name, update, version=None):
        return self.update(name, update, version).get("state") == "installed"

    # -- expecting -----------------------------------------------------------------------------------------------------------------

    def expect(self, what, test, seconds=25):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if test():
                    self.observe()
                    return
            except (Refused, KeyError, IndexError, StopIteration):
                pass
            for daemon in self.fleet.daemons.values():
                if daemon.process and daemon.process.poll() is not None:
                    raise Wrong(f"{daemon.name} ended by itself ({daemon.process.returncode})")
            time.sleep(0.2)
        raise Wrong(f"{self.now:%Y-%m-%d %H:%M %Z}: expected: {what}")

    def installed(self, update, names, version=None, seconds=30):
        for name in names:
            self.expect(f"{update} {version or ''} installed on {name}; it says {self.update(name, update, version).get('text')}",
                        lambda n=name: self.is_installed(n, update, version), seconds)

    def settled(self):
        """Every node that can has taken the policy since the clock was moved and decided by it: then what has not begun does not begin."""
        time.sleep(3)

    def not_yet(self, update, names, reason=None, version=None):
        for name in names:
            if reason:
                self.expect(f"{name} says {reason} of {update}; it says {self.update(name, update, version).get('reason')}",
                            lambda n=name: self.update(n, update, version).get("reason") == reason)
        self.settled()
        for name in names:
            if self.is_installed(name, update, version):
                raise Wrong(f"{self.now:%Y-%m-%d %H:%M %Z}: {update} is installed on {name}, and must not be")
        self.say(f"    not yet on {', '.join(names)}" + (f": {reason}" if reason else ""))

    # -- the machines --------------------------------------------------------------------------------------------------------------

    def run(self, words):
        environment = dict(os.environ, FERRY_DATE=str(int(self.now.timestamp())))
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, env=environment)
        if done.returncode:
            raise Wrong(f"{words[0]}: exit {done.returncode}: {done.stderr.strip()[-600:]}")

    def release(self, source, version, line=""):
        self.say(f"the vendor releases {source} {version}" + (" (whose installation fails)" if line else ""))
        self.run([self.fleet.path("bin", "make-archive.sh"), "--release", self.fleet.path("archive"), source, version, line])

    def token(self):
        return self.fleet.ferry("node token", show=False).strip()

    def start_hq(self):
        fleet = self.fleet
        self.run([fleet.path("bin", "make-archive.sh"), fleet.path("archive"), "1"])
        os.makedirs(fleet.path("origin"))
        with open(fleet.path("origin", "nginx.conf"), "w", encoding="ascii") as file:
            file.write(f"daemon off; master_process off; pid {fleet.path('origin', 'pid')}; error_log {fleet.path('log', 'origin.log')};\nevents {{}}\nhttp {{ access_log off; "
                       + "".join(f"{kind}_temp_path {fleet.path('origin', kind)};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
                       + f"server {{ listen {ORIGIN}; root {fleet.path('archive')}; }} }}\n")
        fleet.program("origin", ["/usr/sbin/nginx", "-e", fleet.path("log", "origin.log"), "-c", fleet.path("origin", "nginx.conf")])
        fleet.ferry(f"site init --name hq --state {fleet.path('sitestate')} --url https://{SITE}", show=False)
        fleet.daemon("site", [("role", "site"), ("site-state", fleet.path("sitestate")), ("site-listen", SITE), ("site-url", f"https://{SITE}")])
        fleet.until("the site", lambda: fleet.daemons["site"].ask("/healthz"), 15)
        fleet.daemon("dp-1", [("role", "distribution-point"), ("site", f"https://{SITE}"), ("enrol-token", self.token()), ("hostname", "dp-1"), ("dp-name", "dp-1"), ("dp-listen", DP),
                              ("dp-state", fleet.path("dp-1", "dp")), ("address", f"{HQ}.2"), ("bind-address", f"{HQ}.2"), ("listen", f"{HQ}.2:6881"), ("poll", "1s")])
        fleet.until("the distribution point", lambda: fleet.daemons["site"].ask("/api/v1/nodes/dp-1"), 15)
        fleet.ferry(f"dp add dp-1 --url https://{DP} --node dp-1", show=False)
        for branch, net in NET.items():
            fleet.ferry(f"boundary add {branch} --cidr {net}.0.0/16 --dp dp-1 --wan 8000", show=False)
        self.line = fleet.program("line-b", [sys.executable, fleet.path("bin", "relay.py"), "--listen", f"{NET['b']}.255.1:3128", "--kbit", "80000", "--counters", fleet.path("line-b.json")])

    def node_options(self, name):
        branch, address, fleet = NODES[name], self.address[name], self.fleet
        peers = [self.address[other] for other in NODES if NODES[other] == branch]
        options = [("role", "client"), ("site", f"https://{SITE}"), ("hostname", name), ("root", fleet.path(name, "root")), ("unprivileged-root", "yes"), ("listen", f"{address}:6881"),
                   ("bind-address", address), ("poll", "1s"), ("timezone", ZONES.get(name, BERLIN).key), ("machine-kind", "server" if name.startswith("server") else "workstation"),
                   ("boot-id", fleet.path(name, "boot-id")), ("restart-command", fleet.path(name, "restart")), ("enrol-token", fleet.tokens[name])] + [("peer", f"{p}:6881") for p in peers]
        return options + ([("proxy", f"http://{NET['b']}.255.1:3128"), ("proxy-tunnel", "yes")] if branch == "b" else [])

    def start_node(self, name):
        self.fleet.daemon(name, self.node_options(name))

    def start_nodes(self):
        fleet = self.fleet
        fleet.tokens = {}
        for number, name in enumerate(NODES):
            self.address[name] = f"{NET[NODES[name]]}.0.{number + 1}"
        for name in NODES:
            self.run([fleet.path("bin", "make-root.sh"), fleet.path(name, "root"), fleet.path("archive")])
            fleet.tokens[name], self.known[name] = self.token(), {}
            with open(fleet.path(name, "boot-id"), "w", encoding="ascii") as file:
                file.write("boot-1\n")
            with open(fleet.path(name, "restart"), "w", encoding="ascii") as file:
                file.write(f"#!/bin/sh\necho \"boot-$(date +%N)\" >{fleet.path(name, 'boot-id')}\necho restarted >>{fleet.path(name, 'restarts')}\n")
            os.chmod(fleet.path(name, "restart"), 0o755)
            self.start_node(name)

    def restarts(self, name):
        try:
            with open(self.fleet.path(name, "restarts"), encoding="ascii") as file:
                return len(file.readlines())
        except OSError:
            return 0

    def script(self, name, text):
        path = self.fleet.path(name)
        with open(path, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\n" + text + "\n")
        return path

    def command_update(self, name, codes=""):
        """An update whose program makes ROOT/etc/NAME, which its detection looks for."""
        empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        exit_code = re.match(r"(\d+)=", codes)
        path = self.script(f"{name}.sh", f": >\"$1/etc/{name}\"\nexit {exit_code[1] if exit_code else 0}")
        self.ferry(f"update add {name} --file {path} --program {name}.sh --arg '{{root}}' --detect-file /etc/{name} --detect-sha256 {empty} --max-run 10m" + (f" --return {codes}" if codes else ""))

    def sync(self):
        self.ferry("catalog sync")

    def required(self, update, count):
        self.expect(f"{count} nodes require {update}", lambda: next(u for u in self.ask(f"update list --filter 'name = {update} and not superseded and not expired'")["items"])["required"] == count)


class Story(Months):
    """The three months, chapter by chapter. Times are Berlin's unless a zone is named."""

    EVERYBODY = list(NODES)
    WORKSTATIONS = ["pilot-1", "a-1", "laptop-1", "b-1", "b-2"]

    def february(self):
        self.say("the site is set up; everything is 1.0, the archive has 2.0")
        self.ferry("site set --timezone Europe/Berlin --supersedence '1 month'")
        self.ferry(f"catalog add apt demo --uri http://{ORIGIN} --suite demo --component main --keyring {self.fleet.path('archive', 'demo.gpg')}")
        self.sync()
        self.required("ferry-data", len(NODES))
        self.ferry("collection create pilot --rule 'hostname ~ \"pilot-*\"'")
        self.ferry("collection create servers --rule 'machine.kind = server'")
        self.ferry("window add servers nights --when 'sunday 02:00' --duration 3h")
        self.ferry("settings set servers --priority 10 --restart-countdown 30m --restart-final 5m")
        self.baseline()
        self.patch_tuesday()
        self.branch_off()

    def baseline(self):
        """By hand, in one command. The server has a window; the user of the laptop does not wait."""
        self.ferry("deploy baseline --filter 'name = ferry-data' --collection all --deadline 'wednesday 22:00' --randomize 0 --origin-fallback")
        self.not_yet("ferry-data", self.EVERYBODY, "deadline-ahead")
        self.at("2027-02-02 12:00")
        self.ferry("install ferry-data", on="laptop-1")
        self.installed("ferry-data", ["laptop-1"])
        self.at("2027-02-03 21:59")
        self.not_yet("ferry-data", ["pilot-1", "a-1", "server-1", "b-1", "b-2"])
        self.at("2027-02-03 22:00")
        self.installed("ferry-data", ["pilot-1", "a-1", "b-1", "b-2"])
        self.not_yet("ferry-data", ["server-1"], "waiting-window")
        self.at("2027-02-07 01:59")
        self.not_yet("ferry-data", ["server-1"], "waiting-window")
        self.at("2027-02-07 02:00")
        self.installed("ferry-data", ["server-1"])

    def patch_tuesday(self):
        """The rule runs on the day behind the second tuesday; its production deployment waits to be enabled."""
        self.ferry("search save urgent 'classification = security and required >= 1 and not superseded and not name = ferry-tool'")
        self.ferry("rule create patch-tuesday --search urgent --schedule 'second tuesday +1d 02:00' --group new --to dp-1 --severity-alert")
        self.ferry("rule deployment add patch-tuesday pilot --collection pilot --available +0h --deadline +3d --randomize 0 --origin-fallback")
        self.ferry("rule deployment add patch-tuesday production --collection all --available +4d --deadline +3d --randomize 0 --origin-fallback --disabled")
        self.refused("phased create wrong --group patch-tuesday --phase pilot", "no such|rule")
        self.at("2027-02-10 01:59")
        self.settled()
        if self.runs():
            raise Wrong("the rule has run before its time")
        self.at("2027-02-10 02:00")
        self.ran(1, 1)
        self.expect("the group of the run", lambda: self.group("patch-tuesday-2027-02-10")["updates"] == 1)
        self.not_yet("ferry-app", ["pilot-1"], "deadline-ahead")

    def branch_off(self):
        """Branch b's line is cut for two weeks; the laptop leaves for the internet and comes back."""
        self.at("2027-02-12 09:00")
        self.say("the line of branch b is cut")
        self.line.process.send_signal(signal.SIGUSR1)
        self.at("2027-02-13 01:59")
        self.not_yet("ferry-app", ["pilot-1"])
        self.at("2027-02-13 02:00")
        self.installed("ferry-app", ["pilot-1"])
        self.at("2027-02-14 09:00")
        self.roam("laptop-1", AWAY)
        self.at("2027-02-14 10:00")
        self.ferry("rule deployment enable patch-tuesday production")
        self.not_yet("ferry-app", ["a-1", "server-1", "laptop-1"], "deadline-ahead")
        self.at("2027-02-17 02:00")
        self.installed("ferry-app", ["a-1", "laptop-1"])
        self.not_yet("ferry-app", ["server-1"], "waiting-window")
        self.not_yet("ferry-app", ["b-1", "b-2"], "disabled")
        self.at("2027-02-21 02:00")
        self.installed("ferry-app", ["server-1"])
        self.at("2027-02-26 09:00")
        self.say("the line of branch b is back: its deadline has passed long ago")
        self.line.process.send_signal(signal.SIGUSR2)
        self.installed("ferry-app", ["b-1", "b-2"], seconds=60)

    def march(self):
        self.at("2027-03-01 09:00")
        self.roam("laptop-1", f"{NET['a']}.0.4")
        self.bad_update()
        self.second_patch_tuesday()
        self.local_time()
        self.summer_time()

    def bad_update(self):
        """It fails on the pilot; the gate halts; nobody else ever begins."""
        self.release("ferry-tool", "3.0", "exit 1")
        self.sync()
        self.required("ferry-tool", len(NODES))
        self.ferry("group create tool")
        self.ferry("group add tool --filter 'name = ferry-tool and version = \"3.0\"'")
        self.ferry("content download tool")
        self.ferry("content distribute tool --to dp-1")
        self.expect("the distribution point has it", lambda: all(d["state"] == "complete" for d in self.ask("content status")["items"]))
        self.ferry("phased create tool --group tool --phase pilot,success=100%,halt=40%,deadline=+1h --phase all,begin=+1d,deadline=+1h --randomize 0")
        self.not_yet("ferry-tool", ["pilot-1"], "deadline-ahead")
        self.at("2027-03-01 10:00")
        self.expect("it fails on pilot-1", lambda: self.update("pilot-1", "ferry-tool")["attempts"] >= 1)
        self.expect("the gate halts", lambda: self.ask("phased status tool")["state"] == "halted")
        self.say("    " + self.ask("phased history tool")["items"][0]["why"])
        self.expect("pilot-1 is told of the halt", lambda: self.update("pilot-1", "ferry-tool")["reason"] == "halted")
        if not any(a["event"] == "phase-halted" for a in self.ask("alert list")["items"]):
            raise Wrong("no alert tells of the halt")
        self.at("2027-03-05 10:00")
        self.settled()
        for name in self.EVERYBODY[1:]:
            if self.update(name, "ferry-tool", "3.0"):
                raise Wrong(f"{name} was given ferry-tool 3.0 although it was halted")
        self.release("ferry-tool", "3.1")
        self.sync()
        self.ferry("deploy tool-again --filter 'name = ferry-tool and version = \"3.1\"' --collection all --deadline +1h --randomize 0")
        self.at("2027-03-05 11:01")
        self.installed("ferry-tool", self.WORKSTATIONS, "3.1")

    def second_patch_tuesday(self):
        """ferry-app 3.0: production was left enabled, so it goes through by itself. 2.0 is superseded from now on."""
        self.at("2027-03-09 12:00")
        self.release("ferry-app", "3.0")
        self.sync()
        self.required("ferry-app", len(NODES))
        self.at("2027-03-10 02:00")
        self.ran(2, 1)
        self.at("2027-03-13 02:00")
        self.installed("ferry-app", ["pilot-1"], "3.0")
        self.at("2027-03-17 01:59")
        self.not_yet("ferry-app", ["a-1", "b-1"], version="3.0")
        self.at("2027-03-17 02:00")
        self.installed("ferry-app", self.WORKSTATIONS, "3.0")
        self.expect("2.0 is superseded", lambda: self.group("patch-tuesday-2027-02-10")["state"] == "superseded")

    def local_time(self):
        """The same wall clock in two zones: New York's is five hours behind, for its summer time has begun."""
        self.at("2027-03-18 10:00")
        self.command_update("noon")
        self.ferry("collection create branch-b --rule 'boundary.group = b'")
        self.ferry("deploy noon noon --collection branch-b --local-time --deadline '2027-03-20 12:00' --randomize 0")
        self.at("2027-03-20 11:59")
        self.not_yet("noon", ["b-1", "b-2"])
        self.at("2027-03-20 12:00")
        self.installed("noon", ["b-1"])
        self.not_yet("noon", ["b-2"], "deadline-ahead")
        self.at("2027-03-20 11:59", NEW_YORK)
        self.not_yet("noon", ["b-2"])
        self.at("2027-03-20 12:00", NEW_YORK)
        self.installed("noon", ["b-2"])

    def summer_time(self):
        """28 March has no two o'clock: the window opens at three. What it installs wants a restart, half an hour later, in the window."""
        self.at("2027-03-26 10:00")
        self.command_update("kernel", "5=restart")
        self.ferry("deploy kernel kernel --collection servers --deadline 'saturday 12:00' --randomize 0")
        self.at("2027-03-27 12:00")
        self.not_yet("kernel", ["server-1"], "waiting-window")
        self.at("2027-03-28 01:59")
        self.not_yet("kernel", ["server-1"], "waiting-window")
        self.at("2027-03-28 03:00")
        self.expect("kernel is there and wants a restart", lambda: self.update("server-1", "kernel")["reason"] == "restart-pending")
        self.settled()
        if self.restarts("server-1"):
            raise Wrong("server-1 restarted before its countdown had ended")
        self.say("    " + self.fleet.ferry("status", socket_of="server-1", show=False).strip().replace("\n", " | ")[:400])
        self.at("2027-03-28 03:31")
        self.expect("server-1 restarts", lambda: self.restarts("server-1") == 1)
        self.say("    server-1 restarts: its ferryd ends with it, and finds another boot")
        self.restart("server-1")
        self.installed("kernel", ["server-1"])

    def april(self):
        self.at("2027-04-01 09:00")
        self.ferry("rule disable patch-tuesday")
        self.refused("rule run patch-tuesday", "disabled")
        self.at("2027-04-08 12:00")
        self.expect("2.0 is still carried", lambda: self.group("patch-tuesday-2027-02-10")["state"] == "superseded")
        self.at("2027-04-10 12:00")
        self.expect("a month later 2.0 has expired", lambda: self.group("patch-tuesday-2027-02-10")["state"] == "expired")
        self.expect("no node is given it any more", lambda: not self.update("a-1", "ferry-app", "2.0"))
        self.release("ferry-data", "3.0")
        self.at("2027-04-13 12:00")
        self.sync()
        self.at("2027-04-14 02:00")
        self.settled()
        self.ran(2, None)
        self.say("    the disabled rule did not run")
        self.at("2027-05-01 09:00")

    # -- words of the story --------------------------------------------------------------------------------------------------------

    def runs(self):
        return self.ask("rule history patch-tuesday")["items"]

    def ran(self, count, selected):
        self.expect(f"{count} runs of the rule, all good", lambda: len(self.runs()) == count and all(r["code"] == "ok" for r in self.runs()), 40)
        if selected is not None and self.runs()[0]["updates"] != selected:
            raise Wrong(f"the rule selected {self.runs()[0]['selected']} updates, not {selected}")

    def group(self, name):
        return next(g for g in self.ask("group list")["items"] if g["name"] == name)

    def roam(self, name, address):
        self.say(f"{name} is at {address} now")
        self.address[name] = address
        self.restart(name)

    def restart(self, name):
        self.fleet.daemons[name].end()
        self.start_node(name)
        self.expect(f"{name} is back", lambda: self.fleet.daemons[name].ask("/healthz"))

    def delivered(self):
        """Every message of every node is at the site, each once."""
        for name in NODES:
            here, there = self.fleet.daemons[name].ask("/api/v1/node")["messages"], self.fleet.daemons["site"].ask(f"/api/v1/nodes/{name}")
            if here["waiting"] or there["serial"] != here["last"] or there["messages"]["missing"]:
                return False
        return True

    def testify(self):
        """What the site and the nodes say when something went wrong."""
        questions = [(line, "site") for line in ("status", "deployment list", "group list", "rule list", "phased list", "alert list --all", "node list")]
        for line, on in questions + [("updates", name) for name in NODES]:
            try:
                print(f"\n[{on}] $ ferry {line}\n" + self.fleet.ferry(line, socket_of=on, show=False), file=sys.stderr)
            except Refused as why:
                print(f"\n[{on}] $ ferry {line}\n{why}", file=sys.stderr)

    def play(self):
        self.start_hq()
        self.start_nodes()
        self.expect("every node is enrolled", lambda: len(self.ask("node list")["items"]) == len(NODES) + 1, 30)
        self.february()
        self.march()
        self.april()
        self.expect("every status message has arrived", self.delivered, 30)
        if not any(c["origin"] for c in self.fleet.daemons["site"].ask("/api/v1/nodes/laptop-1")["contents"]):
            raise Wrong("the laptop was away and took nothing from the origin")
        if not all(branch["peers"] for branch in self.ask("status")["branches"] if branch["name"] in NET):
            raise Wrong("neighbours gave each other nothing")
        self.say(f"three months: everything happened when it had to, {len(self.calendar)} lines of calendar")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", required=True)
    end_when_asked()
    story, good = Story(parser.parse_args().work), False
    try:
        story.play()
        good = True
    except (Wrong, Refused) as why:
        print(f"three-months: {why}", file=sys.stderr)
        story.testify()
    finally:
        story.fleet.end()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
