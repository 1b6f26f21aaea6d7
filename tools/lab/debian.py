#!/usr/bin/env python3
"""Real Debian roots, the real security archive, the real pending updates. Called by demo-debian.sh as root."""
import argparse
import json
import os
import subprocess
import sys
import time

from fleet import MIB, Fleet, Refused

SITE, DP = "127.0.11.1:8440", "127.0.11.2:8480"
BRANCHES = {"a": "127.3", "b": "127.4"}
NODES = 2
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
LEAST = 20


class Debian:
    def __init__(self, options):
        self.options, self.fleet, self.nodes, self.begun = options, Fleet(options.work), [], time.monotonic()

    def start(self):
        fleet = self.fleet
        fleet.ferry(f"site init --name hq --state {fleet.path('sitestate')} --url http://{SITE}")
        fleet.daemon("site", [("role", "site"), ("site-state", fleet.path("sitestate")), ("site-listen", SITE), ("site-url", f"http://{SITE}")])
        fleet.until("the site", lambda: fleet.daemons["site"].ask("/healthz"), 10)
        fleet.daemon("dp-1", [("role", "distribution-point"), ("site", f"http://{SITE}"), ("enrol-token", self.token()), ("hostname", "dp-1"), ("dp-name", "dp-1"), ("dp-listen", DP),
                              ("dp-state", fleet.path("dp-1", "dp")), ("address", "127.0.11.2"), ("bind-address", "127.0.11.2"), ("listen", "127.0.11.2:6881"), ("poll", "2s")])
        fleet.until("the distribution point's enrolment", lambda: fleet.daemons["site"].ask("/api/v1/nodes/dp-1"), 15)
        fleet.ferry(f"dp add dp-1 --url http://{DP} --node dp-1")
        for branch, net in BRANCHES.items():
            fleet.ferry(f"boundary add {branch} --cidr {net}.0.0/16 --dp dp-1")
            addresses = [f"{net}.0.{i + 1}" for i in range(NODES)]
            for i, address in enumerate(addresses):
                self.node(f"{branch}-{i + 1}", address, addresses)

    def token(self):
        return self.fleet.ferry("node token", show=False).strip()

    def node(self, name, address, neighbours):
        root = self.fleet.path(name, "root")
        os.makedirs(self.fleet.path(name))
        subprocess.run(["cp", "-a", "--reflink=auto", self.options.base, root], check=True)
        self.nodes.append(name)
        self.fleet.daemon(name, [("role", "client"), ("site", f"http://{SITE}"), ("enrol-token", self.token()), ("hostname", name), ("root", root), ("listen", f"{address}:6881"),
                                 ("bind-address", address), ("poll", "2s")] + [("peer", f"{other}:6881") for other in neighbours])

    def updates(self):
        return json.loads(self.fleet.ferry("update list --json --limit 1000 --filter 'required >= 1'", show=False))["items"]

    def play(self):
        fleet = self.fleet
        self.start()
        fleet.ferry(f"catalog add apt debian-security --uri {self.options.uri} --suite {self.options.suite} --component main --keyring {KEYRING}")
        fleet.ferry("catalog sync")
        fleet.until("every node's scan", lambda: self.updates() and all(u["required"] == len(self.nodes) for u in self.updates()), 90)
        pending = self.updates()
        print(f"{len(pending)} source packages are pending on every node", flush=True)
        if len(pending) < LEAST:
            raise Refused(f"only {len(pending)} source packages are pending, at least {LEAST} were expected")
        before = self.simulate(self.nodes[0])
        fleet.ferry("update list --limit 1000 --filter 'classification = security and required >= 1'")
        fleet.ferry("group create october")
        fleet.ferry("group add october --filter 'classification = security and required >= 1'")
        fleet.ferry("content download october")
        fleet.ferry("content distribute october --to dp-1")
        fleet.until("the distribution point", lambda: all(d["state"] == "complete" for d in json.loads(fleet.ferry("content status --json", show=False))["items"]), 120)
        fleet.ferry("deployment create october --group october --collection all --required --available now --deadline +5s --randomize 0 --origin-fallback")
        self.watch(len(pending))
        fleet.ferry("status")
        fleet.ferry("node show a-1")
        return self.judge(before)

    def watch(self, pending):
        end, last = time.monotonic() + 400, 0.0
        while time.monotonic() < end:
            left = len(self.updates())
            if time.monotonic() - last > 5:
                print(f"{pending - left} of {pending} updates are on every node …", flush=True)
                last = time.monotonic()
            if not left and self.compliant() == len(self.nodes):
                return
            time.sleep(1)
        print("not everything was installed in time", file=sys.stderr)

    def compliant(self):
        d = self.fleet.daemons["site"].ask("/api/v1/status")["deployments"][0]
        return d["compliant"]

    def simulate(self, name):
        """apt-get -s dist-upgrade in the root against main and security: {package: new version}."""
        state = self.fleet.path(f"oracle-{name}")
        root = self.fleet.path(name, "root")
        for part in ("lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/sources.list.d", "etc/preferences.d"):
            os.makedirs(os.path.join(state, part), exist_ok=True)
        with open(os.path.join(state, "etc/sources.list"), "w", encoding="ascii") as file:
            file.write(f"deb [signed-by={KEYRING}] {self.options.uri} {self.options.suite} main\ndeb [signed-by={KEYRING}] {self.options.main} {self.options.suite.removesuffix('-security')} main\n")
        with open(os.path.join(state, "apt.conf"), "w", encoding="ascii") as file:
            file.write(f'Dir "{state}/"; Dir::State "{state}"; Dir::State::lists "{state}/lists"; Dir::State::status "{root}/var/lib/dpkg/status"; Dir::Cache "{state}/cache";\n'
                       f'Dir::Etc "{state}/etc"; Dir::Etc::parts "{state}/etc/apt.conf.d"; Dir::State::extended_states "{state}/extended"; APT::Sandbox::User "root"; Acquire::Languages "none";\n')
        environment = dict(os.environ, APT_CONFIG=os.path.join(state, "apt.conf"), LC_ALL="C.UTF-8")
        subprocess.run(["apt-get", "-q", "update"], env=environment, check=True, capture_output=True, timeout=200)
        lines = subprocess.run(["apt-get", "-s", "dist-upgrade"], env=environment, check=True, capture_output=True, text=True, timeout=200).stdout.split("\n")
        return {line.split()[1]: line.split("(")[1].split()[0] for line in lines if line.startswith("Inst ") and "[" in line}

    def judge(self, before):
        good, rows = True, []
        agreed = self.compliant()
        for name in self.nodes:
            pending = self.simulate(name)
            audit = subprocess.run(["dpkg", f"--root={self.fleet.path(name, 'root')}", "--audit"], capture_output=True, text=True, check=False).stdout.strip()
            rows.append({"node": name, "pending_before": len(before), "pending_after": len(pending), "audit": audit})
            print(f"{name}: apt-get -s dist-upgrade finds {len(pending)} pending, {len(before)} before; dpkg --audit {'is empty' if not audit else audit}", flush=True)
            good = good and not pending and not audit
        print(f"the site says {agreed} of {len(self.nodes)} nodes are compliant", flush=True)
        status = self.fleet.daemons["site"].ask("/api/v1/status")
        report = {"nodes": len(self.nodes), "installed": agreed, "failed": len(self.nodes) - agreed, "packages": len(before), "rows": rows, "branches": status["branches"],
                  "seconds": round(time.monotonic() - self.begun, 1)}
        with open(self.fleet.path("report.json"), "w", encoding="ascii") as file:
            json.dump(report, file, indent=2)
            file.write("\n")
        for branch in status["branches"]:
            print(f"branch {branch['name']}: needed {branch['needed'] / MIB:.1f} MiB = HTTP {branch['http'] / MIB:.1f} + peers {branch['peers'] / MIB:.1f} + cache {branch['cache'] / MIB:.1f} "
                  f"+ origin {branch['origin'] / MIB:.1f}", flush=True)
        return good and agreed == len(self.nodes)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("work", "base", "uri", "suite", "main"):
        parser.add_argument(f"--{name}", required=True)
    debian = Debian(parser.parse_args())
    try:
        good = debian.play()
    except (Refused, subprocess.SubprocessError) as why:
        print(f"demo-debian: {why}", file=sys.stderr)
        good = False
    finally:
        debian.fleet.end()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
