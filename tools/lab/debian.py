#!/usr/bin/env python3
"""Real Debian roots, the real security archive, the real pending updates. Run it by demo-debian.sh, as root.

Exit status 0 only when apt finds none of the deployed updates pending in any root, dpkg finds nothing half done, and the site agrees."""
import argparse
import json
import os
import signal
import subprocess
import sys
import time

from fleet import MIB, Fleet, Refused

SITE, DP = "127.0.11.1:8440", "127.0.11.2:8480"
BRANCHES = {"a": "127.3", "b": "127.4"}
NODES = 2
LEAST = 20
INSTALL_S = 500
WHOLE_S = 520


class Oracle:
    """What apt itself would upgrade in a root, against main and security, with the archive as it was when this was made."""

    def __init__(self, options, path):
        self.path = path
        for part in ("lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/sources.list.d", "etc/preferences.d"):
            os.makedirs(os.path.join(path, part))
        with open(os.path.join(path, "etc/sources.list"), "w", encoding="ascii") as file:
            for uri, suite in ((options.uri, options.suite), (options.main, options.suite.removesuffix("-security"))):
                file.write(f"deb [signed-by={options.keyring}] {uri} {suite} main\n")
        subprocess.run(["apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "update"], env=self.environment("/"), check=True, capture_output=True, timeout=200)

    def environment(self, root):
        path = self.path
        with open(os.path.join(path, "apt.conf"), "w", encoding="ascii") as file:
            file.write(f'Dir "{path}/"; Dir::State "{path}"; Dir::State::lists "{path}/lists"; Dir::State::status "{root}/var/lib/dpkg/status"; Dir::Cache "{path}/cache";\n'
                       f'Dir::Etc "{path}/etc"; Dir::Etc::parts "{path}/etc/apt.conf.d"; Dir::State::extended_states "{path}/extended"; APT::Sandbox::User "root"; Acquire::Languages "none";\n'
                       'APT::Get::Always-Include-Phased-Updates "true";\n')
        return dict(os.environ, APT_CONFIG=os.path.join(path, "apt.conf"), LC_ALL="C.UTF-8")

    def pending(self, root):
        """{package: (version, is it in the security archive)}; names that would be new are left out, no node requires them."""
        done = subprocess.run(["apt-get", "-s", "dist-upgrade"], env=self.environment(root), check=True, capture_output=True, text=True, timeout=100)
        found = {}
        for line in done.stdout.split("\n"):             # Inst PACKAGE [OLD] (NEW ARCHIVES [ARCH])
            words = line.split()
            if line.startswith("Inst ") and words[2].startswith("["):
                inside = line.split("(", 1)[1].split(")")[0]
                found[words[1].split(":")[0]] = (inside.split()[0], "-security" in inside.lower())
        return found


class Debian:
    def __init__(self, options):
        self.options, self.fleet, self.nodes, self.begun, self.step = options, Fleet(options.work), [], time.monotonic(), None
        self.report = {"nodes": len(BRANCHES) * NODES, "installed": 0, "suite": options.suite, "seconds_of": {}, "rows": []}

    def took(self, name):
        """Seconds since the step before, for the report."""
        now = time.monotonic()
        self.report["seconds_of"][name] = round(now - (self.step or self.begun), 1)
        self.step = now

    # -- the machines ------------------------------------------------------------------------------------------------------------

    def start(self):
        fleet = self.fleet
        fleet.ferry(f"site init --name hq --state {fleet.path('sitestate')} --url https://{SITE}")
        fleet.daemon("site", [("role", "site"), ("site-state", fleet.path("sitestate")), ("site-listen", SITE), ("site-url", f"https://{SITE}")])
        fleet.until("the site", lambda: fleet.daemons["site"].ask("/healthz"), 10)
        fleet.daemon("dp-1", [("role", "distribution-point"), ("site", f"https://{SITE}"), ("enrol-token", self.token()), ("hostname", "dp-1"), ("dp-name", "dp-1"), ("dp-listen", DP),
                              ("dp-state", fleet.path("dp-1", "dp")), ("address", "127.0.11.2"), ("bind-address", "127.0.11.2"), ("listen", "127.0.11.2:6881"), ("poll", "2s")])
        fleet.until("the distribution point's enrolment", lambda: fleet.daemons["site"].ask("/api/v1/nodes/dp-1"), 15)
        fleet.ferry(f"dp add dp-1 --url https://{DP} --node dp-1")
        for branch, net in BRANCHES.items():
            fleet.ferry(f"boundary add {branch} --cidr {net}.0.0/16 --dp dp-1")
            addresses = [f"{net}.0.{i + 1}" for i in range(NODES)]
            for i, address in enumerate(addresses):
                self.node(f"{branch}-{i + 1}", address, addresses)

    def token(self):
        return self.fleet.ferry("node token", show=False).strip()

    def root(self, name):
        return self.fleet.path(name, "root")

    def node(self, name, address, neighbours):
        self.make_root(name)
        self.nodes.append(name)
        self.fleet.daemon(name, [("role", "client"), ("site", f"https://{SITE}"), ("enrol-token", self.token()), ("hostname", name), ("root", self.root(name)), ("listen", f"{address}:6881"),
                                 ("bind-address", address), ("poll", "2s")] + [("peer", f"{other}:6881") for other in neighbours])

    def make_root(self, name):
        """The base root with this node's changes over it; a copy where overlays are not allowed."""
        parts = [self.fleet.path(name, part) for part in ("changes", "overlay", "root")]
        for part in parts:
            os.makedirs(part)
        done = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={self.options.base},upperdir={parts[0]},workdir={parts[1]}", parts[2]],
                              capture_output=True, check=False)
        if done.returncode:
            subprocess.run(["cp", "-a", "--reflink=auto", self.options.base + "/.", parts[2]], check=True)

    # -- the administrator -------------------------------------------------------------------------------------------------------

    def items(self, line):
        return json.loads(self.fleet.ferry(line + " --json", show=False))["items"]

    def updates(self):
        return self.items("update list --limit 1000 --filter 'required >= 1'")

    def pending(self):
        fleet = self.fleet
        fleet.ferry(f"catalog add apt debian-security --uri {self.options.uri} --suite {self.options.suite} --component main --keyring {self.options.keyring}")
        fleet.ferry("catalog sync")
        self.took("sync")
        fleet.until("every node's scan", lambda: self.updates() and all(u["required"] == len(self.nodes) for u in self.updates()), 90)
        self.took("scan")
        found = self.updates()
        print(f"{len(found)} source packages are pending on every node", flush=True)
        if len(found) < LEAST:
            raise Refused(f"only {len(found)} source packages are pending, at least {LEAST} were expected")
        return found

    def deploy(self):
        fleet = self.fleet
        fleet.ferry("update list --limit 1000 --filter 'classification = security and required >= 1'")
        fleet.ferry("group create october")
        fleet.ferry("group add october --filter 'classification = security and required >= 1'")
        fleet.ferry("content download october")
        fleet.ferry("content distribute october --to dp-1")
        fleet.until("the distribution point", lambda: all(d["state"] == "complete" for d in self.items("content status")), 120)
        fleet.ferry("collection create debians --rule 'hostname ~ \"a-*\" or hostname ~ \"b-*\"'")
        fleet.ferry("deployment create october --group october --collection debians --required --available now --deadline +5s --randomize 0 --origin-fallback")
        self.took("content")

    def watch(self, pending):
        end, last = time.monotonic() + INSTALL_S, 0.0
        while time.monotonic() < end:
            left = len(self.updates())
            if time.monotonic() - last > 5:
                print(f"{pending - left} of {pending} updates are on every node …", flush=True)
                last = time.monotonic()
            if not left and self.compliant() == len(self.nodes):
                return
            time.sleep(1)
        print(f"not everything was installed within {INSTALL_S} s", file=sys.stderr)

    def compliant(self):
        for d in self.fleet.daemons["site"].ask("/api/v1/status")["deployments"]:
            if d["name"] == "october" and d["total"] == len(self.nodes):
                return d["compliant"]
        return 0

    # -- what is true ------------------------------------------------------------------------------------------------------------

    def versions(self, name):
        """{(package, architecture): version} of what dpkg calls installed in the root."""
        lines = subprocess.run(["dpkg-query", f"--admindir={self.root(name)}/var/lib/dpkg", "-W", "-f", "${db:Status-Abbrev}\t${Package}\t${Architecture}\t${Version}\n"],
                               capture_output=True, text=True, check=True).stdout.split("\n")
        return {(f[1], f[2]): f[3] for f in (line.split("\t") for line in lines) if f[0] == "ii "}

    def required(self, name, installed):
        """{package: version}: what the updates this node calls Required hold newer than what is installed, the highest of each."""
        wanted = {}
        for row in json.loads(self.fleet.ferry(f"node show {name} --json", show=False))["updates"]:
            if row["state"] != "required":
                continue
            for f in json.loads(self.fleet.ferry(f"update show {row['id']} --json", show=False))["files"]:
                there = installed.get((f["package"], f["arch"]))
                if there and newer(f["version"], there) and newer(f["version"], wanted.get(f["package"], "")):
                    wanted[f["package"]] = f["version"]
        return wanted

    def agrees(self, name, oracle):
        """Does the node require, package for package, what apt would take from the security archive?"""
        ours = self.required(name, self.versions(name))
        theirs = {package: version for package, (version, security) in oracle.pending(self.root(name)).items() if security}
        for package in sorted(set(ours) | set(theirs)):
            if ours.get(package) != theirs.get(package):
                print(f"{name}: {package}: the node requires {ours.get(package)}, apt would take {theirs.get(package)}", file=sys.stderr)
        self.report["rows"].append({"node": name, "required": ours, "apt_would_take": len(theirs), "same": ours == theirs})
        print(f"{name}: requires {len(ours)} packages, apt-get -s dist-upgrade takes {len(theirs)} from the security archive: {'the same' if ours == theirs else 'NOT the same'}", flush=True)
        return ours == theirs

    def judge(self, row, oracle):
        name, deployed = row["node"], row["required"]
        pending = oracle.pending(self.root(name))
        late = sorted(package for package in deployed if package in pending and not newer(pending[package][0], deployed[package]))
        installed = {package: version for (package, _), version in self.versions(name).items()}
        absent = sorted(package for package, version in deployed.items() if newer(version, installed.get(package, "")))
        audit = subprocess.run(["dpkg", f"--root={self.root(name)}", "--audit"], capture_output=True, text=True, check=False).stdout.strip()
        row.update({"deployed_and_pending": late, "not_installed": absent, "pending_after": len(pending), "audit": audit})
        print(f"{name}: apt-get -s dist-upgrade finds {len(late)} of {len(deployed)} deployed packages pending, {len(pending)} in all; dpkg --audit {'is empty' if not audit else audit}", flush=True)
        return not late and not absent and not audit

    def play(self):
        self.start()
        self.took("start")
        pending = self.pending()
        oracle = Oracle(self.options, self.fleet.path("oracle"))
        same = [self.agrees(name, oracle) for name in self.nodes]
        self.took("compare")
        self.deploy()
        self.watch(len(pending))
        self.took("install")
        self.fleet.ferry("status")
        self.fleet.ferry("node show a-1")
        good = [self.judge(row, oracle) for row in self.report["rows"]]
        self.took("judge")
        agreed = self.compliant()
        print(f"the site says {agreed} of {len(self.nodes)} nodes are compliant", flush=True)
        self.report.update({"updates": len(pending), "installed": sum(good), "site_says": agreed, "branches": self.fleet.daemons["site"].ask("/api/v1/status")["branches"]})
        for branch in self.report["branches"]:
            print(f"branch {branch['name']}: needed {branch['needed'] / MIB:.1f} MiB = HTTP {branch['http'] / MIB:.1f} + peers {branch['peers'] / MIB:.1f} + cache {branch['cache'] / MIB:.1f} "
                  f"+ origin {branch['origin'] / MIB:.1f}", flush=True)
        return all(same) and all(good) and agreed == len(self.nodes)

    def write(self, good, why):
        self.report.update({"good": good, "why": why, "failed": self.report["nodes"] - self.report["installed"], "seconds": round(time.monotonic() - self.begun, 1)})
        with open(self.fleet.path("report.json"), "w", encoding="ascii") as file:
            json.dump(self.report, file, indent=2)
            file.write("\n")


def newer(a, b):
    return subprocess.run(["dpkg", "--compare-versions", a, "gt", b], check=False).returncode == 0


def stop(number, _):
    signal.signal(number, signal.SIG_IGN)
    raise Refused(f"over {WHOLE_S} s in all" if number == signal.SIGALRM else f"stopped by {signal.Signals(number).name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("work", "base", "uri", "suite", "main", "keyring"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, stop)
    signal.alarm(WHOLE_S)
    debian, good, why = Debian(options), False, ""
    try:
        good = debian.play()
    except (Refused, subprocess.SubprocessError) as reason:
        why = str(reason)
        print(f"demo-debian: {why}", file=sys.stderr)
    finally:
        signal.alarm(0)
        debian.write(good, why)
        debian.fleet.end()
    print(f"{debian.report['installed']} of {debian.report['nodes']} nodes have every deployed update; {debian.report['seconds']} s", flush=True)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
