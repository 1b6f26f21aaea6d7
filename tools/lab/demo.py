#!/usr/bin/env python3
"""The demonstration: one security update from a signed Debian archive to eight machines of two branches. Run it by demo.sh.

Exit status 0 only when every machine's own dpkg says installed, the site agrees, and the byte ledger balances."""
import argparse
import json
import os
import random
import subprocess
import sys
import time

from fleet import Fleet, MIB, Refused, end_when_asked
import trouble

LANE = int(os.environ.get("LANE") or 0)         # several demonstrations at once: each has addresses of its own
HQ = f"127.0.{10 + 10 * LANE}"
SITE, DP, ORIGIN, NGINX_DP = f"{HQ}.1:8440", f"{HQ}.2:8480", f"{HQ}.3:8490", f"{HQ}.4:8481"
BRANCHES = {"a": f"127.{20 * LANE + 1}", "b": f"127.{20 * LANE + 2}"}
NODES = 4
KBIT = 8000
SIZE_MIB = 32
PACKAGES = ("ferry-lib", "ferry-app", "ferry-data", "ferry-tool")


class Demo:
    def __init__(self, options):
        self.options, self.fleet, self.begun = options, Fleet(options.work), time.monotonic()
        self.scenario, self.random = options.scenario, random.Random(options.seed)
        self.relays, self.nodes = {}, []

    # -- the machines ------------------------------------------------------------------------------------------------------------

    def archive(self):
        self.run("make the vendor's archive", [self.fleet.path("bin", "make-archive.sh"), self.fleet.path("archive"), str(SIZE_MIB)])
        self.nginx("origin", f"server {{ listen {ORIGIN}; root {self.fleet.path('archive')}; }}")

    def nginx(self, name, server):
        """A stock nginx, unprivileged, with this server block."""
        fleet = self.fleet
        os.makedirs(fleet.path(name), exist_ok=True)
        with open(fleet.path(name, "nginx.conf"), "w", encoding="ascii") as file:
            file.write(f"daemon off; master_process off; pid {fleet.path(name, 'pid')}; error_log {fleet.path('log', name + '.log')};\n"
                       "events {}\nhttp { access_log off; sendfile on; default_type application/octet-stream;\n"
                       + "".join(f"{kind}_temp_path {fleet.path(name, kind)};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")) + server + "}\n")
        fleet.program(name, ["/usr/sbin/nginx", "-e", fleet.path("log", name + ".log"), "-c", fleet.path(name, "nginx.conf")])

    def run(self, what, words):
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise Refused(f"{what}: exit {done.returncode}: {done.stderr.strip()[-600:]}")

    def site(self):
        self.fleet.ferry(f"site init --name hq --state {self.fleet.path('sitestate')} --url https://{SITE}")
        self.fleet.daemon("site", [("role", "site"), ("site-state", self.fleet.path("sitestate")), ("site-listen", SITE), ("site-url", f"https://{SITE}")])
        self.fleet.until("the site", lambda: self.fleet.daemons["site"].ask("/healthz"), 10)

    def token(self):
        return self.fleet.ferry("node token", show=False).strip()

    def start_dp(self):
        self.fleet.daemon("dp-1", [("role", "distribution-point"), ("site", f"https://{SITE}"), ("enrol-token", self.token()), ("hostname", "dp-1"), ("dp-name", "dp-1"),
                                   ("dp-listen", DP), ("dp-state", self.fleet.path("dp-1", "dp")), ("bind-address", DP.split(":", maxsplit=1)[0]),
                                   ("address", DP.split(":", maxsplit=1)[0]), ("listen", f"{HQ}.2:6881"), ("poll", "2s")])
        self.fleet.until("the distribution point's enrolment", lambda: self.site_node("dp-1"), 15)
        how = f"--url https://{DP}"
        if self.scenario == "nginx-dp":
            how = f"--url https://{NGINX_DP} --pin {self.start_nginx_dp()}"
        self.fleet.ferry(f"dp add dp-1 {how} --node dp-1")
        for branch, net in BRANCHES.items():
            self.fleet.ferry(f"boundary add {branch} --cidr {net}.0.0/16 --dp dp-1")

    def start_nginx_dp(self):
        """A stock nginx in front of what dp-1 has pulled, made as its printed configuration says. Answers what nodes are to know it by."""
        here = self.fleet.path("nginx-dp")
        os.makedirs(here)
        self.run("a key for nginx", ["openssl", "req", "-x509", "-newkey", "ed25519", "-noenc", "-days", "3650", "-subj", "/CN=ferry-dp", "-keyout", f"{here}/dp.key", "-out", f"{here}/dp.pem"])
        with open(f"{here}/ca.pem", "w", encoding="ascii") as file:
            file.write(self.fleet.ferry("site ca", show=False))
        self.nginx("nginx-dp", self.fleet.ferry(f"dp nginx-config --root {self.fleet.path('dp-1', 'dp')} --listen {NGINX_DP} --certificate {here}/dp.pem --key {here}/dp.key --ca {here}/ca.pem"))
        return self.fleet.ferry(f"dp pin {here}/dp.pem").strip()

    def address(self, name):
        branch, number = name.split("-")
        return f"{BRANCHES[branch]}.0.{number}"

    def site_node(self, name):
        return self.fleet.daemons["site"].ask(f"/api/v1/nodes/{name}")

    def start_relays(self):
        for branch, net in BRANCHES.items():
            self.relays[branch] = self.fleet.program(f"relay-{branch}", [sys.executable, self.fleet.path("bin", "relay.py"), "--listen", f"{net}.255.1:3128",
                                                                        "--kbit", str(KBIT), "--counters", self.fleet.path(f"relay-{branch}.json")])

    def start_nodes(self):
        for branch, net in BRANCHES.items():
            addresses = [f"{net}.0.{i + 1}" for i in range(NODES)]
            for i, address in enumerate(addresses):
                name = f"{branch}-{i + 1}"
                self.run("make a root", [self.fleet.path("bin", "make-root.sh"), self.fleet.path(name, "root"), self.fleet.path("archive")])
                self.nodes.append(name)
                self.fleet.daemon(name, [("role", "client"), ("site", f"https://{SITE}"), ("enrol-token", self.token()), ("hostname", name), ("root", self.fleet.path(name, "root")),
                                         ("unprivileged-root", "yes"), ("listen", f"{address}:6881"), ("bind-address", address), ("proxy", f"http://{net}.255.1:3128"),
                                         ("proxy-tunnel", "yes"), ("poll", "2s")] + [("peer", f"{other}:6881") for other in addresses])

    # -- the administrator -------------------------------------------------------------------------------------------------------

    def catalog(self):
        keyring = self.fleet.path("archive", "demo.gpg")
        self.fleet.ferry(f"catalog add apt demo-security --uri http://{ORIGIN} --suite demo --component main --keyring {keyring}")
        self.fleet.ferry("catalog sync")
        print("… every machine fetches the catalog's index once, scans its own dpkg database and reports", flush=True)
        self.fleet.until("every node's scan", lambda: all(u["required"] == len(self.nodes) for u in self.updates()) and self.updates(), 60)
        self.fleet.ferry("update list --filter 'classification = security and required >= 1'")

    def updates(self):
        return json.loads(self.fleet.ferry("update list --json --filter 'required >= 1'", show=False))["items"]

    def content(self):
        self.fleet.ferry("group create october")
        self.fleet.ferry("group add october --filter 'classification = security and required >= 1'")
        self.fleet.ferry("content download october")
        self.fleet.ferry("content distribute october --to dp-1")
        self.fleet.until("the distribution point", lambda: all(d["state"] == "complete" for d in json.loads(self.fleet.ferry("content status --json", show=False))["items"]), 60)
        self.fleet.ferry("content status")

    def deploy(self):
        self.fleet.ferry("collection create tills --rule 'hostname ~ \"a-*\" or hostname ~ \"b-*\"'")
        self.fleet.ferry("deployment create october --group october --collection tills --required --available now --deadline +2s --randomize 0 --origin-fallback")
        self.deployed = time.monotonic()

    # -- watching ----------------------------------------------------------------------------------------------------------------

    def contents(self, name):
        """(bytes here, bytes wanted, MiB by source) of one node, from the node itself."""
        rows = self.fleet.daemons[name].ask("/api/v1/node/contents")["items"]
        return sum(r["have"] for r in rows), sum(r["size"] for r in rows), rows

    def installed(self, name):
        done = subprocess.run(["dpkg-query", f"--admindir={self.fleet.path(name, 'root', 'var/lib/dpkg')}", "-W", "-f", "${db:Status-Abbrev}${Package}=${Version}\n", *PACKAGES],
                              capture_output=True, text=True, check=False)
        return sorted(done.stdout.split("\n")) == sorted([f"ii {p}=2.0" for p in PACKAGES] + [""])

    def share(self, branch=None):
        """The part of the wanted bytes that is here, over the nodes that answer."""
        have = want = 0
        for name in self.nodes:
            if branch is None or name.startswith(branch):
                try:
                    h, w, _ = self.contents(name)
                    have, want = have + h, want + max(w, SIZE_MIB * MIB)
                except Refused:
                    pass
        return have / want if want else 0.0

    def picture(self):
        lines = []
        for name in self.nodes:
            try:
                have, want, rows = self.contents(name)
                by = {key: sum(r[key] for r in rows) / MIB for key in ("http", "peers", "cache", "origin")}
                full = int(24 * have / want) if want else 0
                done = "installed" if self.installed(name) else ""
                lines.append(f"{name}  [{'#' * full}{'.' * (24 - full)}] {have / MIB:5.1f} MiB   http {by['http']:5.1f}  peers {by['peers']:5.1f}  origin {by['origin']:5.1f}  {done}")
            except Refused:
                lines.append(f"{name}  [{'down':^24}]")
        return lines

    def watch(self, finished, seconds):
        drawn, last = 0, 0.0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if sys.stdout.isatty() or time.monotonic() - last > 8:
                lines = self.picture()
                if drawn and sys.stdout.isatty():
                    print(f"\033[{drawn}A", end="")
                print("\n".join(("\033[K" if sys.stdout.isatty() else "") + line for line in lines), flush=True)
                if not sys.stdout.isatty():
                    print(flush=True)
                drawn, last = len(lines), time.monotonic()
            trouble.step(self)
            if finished():
                return True
            time.sleep(0.5)
        return False

    def all_installed(self):
        return trouble.over(self) and all(self.installed(name) for name in self.nodes) and self.agreed() == len(self.nodes)

    def agreed(self):
        """How many nodes the site calls compliant."""
        try:
            for d in self.fleet.daemons["site"].ask("/api/v1/status")["deployments"]:
                if d["name"] == "october":
                    return d["compliant"] if d["total"] == len(self.nodes) else 0
        except Refused:
            pass
        return 0

    # -- the end -----------------------------------------------------------------------------------------------------------------

    def wan(self, branch):
        try:
            with open(self.fleet.path(f"relay-{branch}.json"), encoding="ascii") as file:
                return json.load(file)["down"]
        except OSError:
            return 0

    def balanced(self, branch):
        """The ledger of every node of the branch and of the site's own row, side by side."""
        nodes = {"http": 0, "peers": 0, "cache": 0, "origin": 0, "waste": 0, "needed": 0}
        for name in self.nodes:
            if name.startswith(branch):
                for row in self.contents(name)[2]:
                    nodes["needed"] += row["size"]
                    for key in ("http", "peers", "cache", "origin", "waste"):
                        nodes[key] += row[key]
        site = next(b for b in self.fleet.daemons["site"].ask("/api/v1/status")["branches"] if b["name"] == branch)
        ok = nodes["needed"] == sum(nodes[k] for k in ("http", "peers", "cache", "origin")) and all(nodes[k] == site[k] for k in nodes)
        return nodes, site, ok

    def delivered(self):
        """Every message of every node is at the site, none is missing on the way there (it keeps each serial number once)."""
        for name in self.nodes:
            here, there = self.fleet.daemons[name].ask("/api/v1/node")["messages"], self.site_node(name)
            if here["waiting"] or there["serial"] != here["last"] or there["messages"]["missing"]:
                return False
        return True

    def report(self):
        rows, good = [], True
        try:
            self.fleet.until("every status message", self.delivered, 15)
        except Refused as why:
            print(f"demo: {why}", file=sys.stderr)
            good = False
        installed = sum(self.installed(name) for name in self.nodes)
        content = max(self.contents(name)[1] for name in self.nodes)
        for branch in BRANCHES:
            try:
                self.fleet.until("the ledger", lambda b=branch: self.balanced(b)[2], 15)
            except Refused:
                good = False
            nodes, site, ok = self.balanced(branch)
            if not ok:
                print(f"the ledger of branch {branch} does not balance: nodes {nodes}, site {site}", file=sys.stderr)
            rows.append({"name": branch, "nodes": NODES, "wan_bytes": self.wan(branch), "http_bytes": nodes["http"], "peer_bytes": nodes["peers"],
                         "origin_bytes": nodes["origin"], "cache_bytes": nodes["cache"], "waste_bytes": nodes["waste"], "balanced": ok})
        agreed = self.agreed()
        report = {"scenario": self.scenario, "seed": self.options.seed, "nodes": len(self.nodes), "installed": installed, "failed": len(self.nodes) - installed, "site_says": agreed,
                  "content_bytes": content, "branches": rows, "seconds": round(time.monotonic() - self.begun, 1), "deploy_seconds": round(self.finished - self.deployed, 1)}
        with open(self.fleet.path("report.json"), "w", encoding="ascii") as file:
            json.dump(report, file, indent=2)
            file.write("\n")
        self.table(report)
        return good and installed == len(self.nodes) == agreed

    def table(self, report):
        print(f"\n{'branch':8}{'nodes':>6}{'content':>12}{'WAN':>12}{'HTTP':>12}{'peers':>12}{'origin':>12}{'waste':>12}   WAN ÷ content")
        for row in report["branches"]:
            cells = "".join(f"{row[key] / MIB:8.1f} MiB" for key in ("wan_bytes", "http_bytes", "peer_bytes", "origin_bytes", "waste_bytes"))
            print(f"{row['name']:8}{row['nodes']:6}{report['content_bytes'] / MIB:8.1f} MiB{cells}   {row['wan_bytes'] / report['content_bytes']:.3f}")
        print(f"{report['installed']} of {report['nodes']} nodes installed, the site says {report['site_says']}; {report['deploy_seconds']} s from deployment to the last node, {report['seconds']} s in all\n", flush=True)

    def play(self):
        print(f"scenario {self.scenario}, seed {self.options.seed}, everything in {self.options.work}", flush=True)
        self.archive()
        self.site()
        self.start_dp()
        self.start_relays()
        self.start_nodes()
        self.catalog()
        self.content()
        trouble.before(self)
        self.deploy()
        done = self.watch(self.all_installed, 200)
        self.finished = time.monotonic()
        self.fleet.ferry("status")
        self.fleet.ferry("node show a-3", quiet=self.scenario != "plain")
        self.fleet.ferry("why a-3 ferry-app")
        good = self.report() and done
        return trouble.proved(self) and good


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", required=True)
    parser.add_argument("--scenario", default="plain", choices=sorted(trouble.SCENARIOS))
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 31)
    end_when_asked()
    demo = Demo(options)
    try:
        good = demo.play()
    except Refused as why:
        print(f"demo: {why}", file=sys.stderr)
        good = False
    finally:
        demo.fleet.end()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
