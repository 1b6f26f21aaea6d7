"""What goes wrong in the demonstration's scenarios, and how it is shown that it did. Each scenario: before the deployment, a step while it runs,
over (nothing more to come), proved (the trouble really happened and was noticed)."""
import os
import signal
import sqlite3
import subprocess
import sys
import time

from fleet import Refused

SCENARIOS = ("plain", "dp-down", "lying-dp", "lying-peer", "no-wan", "kill", "nginx-dp")


def say(text):
    print(f"*** {text}", flush=True)


def alter(path):
    """Changes bytes all over a file in place: same size, same inode."""
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        for at in range(0, size, 32768):
            file.seek(at)
            byte = file.read(1)
            file.seek(at)
            file.write(bytes([byte[0] ^ 0x55]))


def believe(demo, name, path):
    """The node's store takes the altered file for what it always was: it goes on serving it, where an honest one would look and notice."""
    now = os.stat(path)
    with sqlite3.connect(demo.fleet.path(name, "state", "store.db"), timeout=10) as store:
        store.execute("UPDATE content SET mtime = ?, ctime = ? WHERE name = ?", (now.st_mtime_ns, now.st_ctime_ns, bytes.fromhex(os.path.basename(path))))


def biggest(directory):
    names = [n for n in os.listdir(directory) if "." not in n]
    return os.path.join(directory, max(names, key=lambda n: os.path.getsize(os.path.join(directory, n))))


def before(demo):
    demo.trouble = {"state": "armed", "log": []}
    if demo.scenario == "lying-dp":
        path = biggest(demo.fleet.path("dp-1", "dp", "content"))
        alter(path)
        say(f"the distribution point now serves altered bytes of {os.path.basename(path)[:16]}…")
        demo.trouble["state"] = "over"
    if demo.scenario == "lying-peer":
        lying_peer(demo)
    if demo.scenario == "kill":
        plan_kills(demo)


def lying_peer(demo):
    """a-1 gets everything first, then its copy is altered while it serves it."""
    demo.fleet.ferry("collection create liar --rule 'hostname = a-1'")
    demo.fleet.ferry("deployment create first --group october --collection liar --required --available now --deadline +1s --randomize 0")
    demo.fleet.until("a-1", lambda: demo.installed("a-1"), 120)
    path = biggest(demo.fleet.path("a-1", "state", "content"))
    alter(path)
    believe(demo, "a-1", path)
    say(f"a-1 now serves altered bytes of {os.path.basename(path)[:16]}… to its neighbours")
    demo.trouble["state"] = "over"


def plan_kills(demo):
    """Moments as shares of the bytes that have arrived, so that they fall into the download whatever the machine's speed."""
    victims = demo.random.sample(demo.nodes, 3) + ["site"]
    demo.random.shuffle(victims)
    moments = sorted(demo.random.uniform(0.05, 0.9) for _ in victims)
    demo.trouble["kills"] = list(zip(moments, victims))
    demo.trouble["inside"] = demo.random.choice([n for n in demo.nodes])
    with open(demo.fleet.path(demo.trouble["inside"], "root", "etc", "ferry-tool-sleep"), "w", encoding="ascii") as file:
        file.write("3\n")
    say(f"seed {demo.options.seed}: will kill " + ", ".join(f"{v} at {m:.0%}" for m, v in demo.trouble["kills"]) + f", and {demo.trouble['inside']} inside dpkg")


def step(demo):
    state = demo.trouble["state"]
    if demo.scenario == "dp-down" and state == "armed" and demo.share() > 0.5:
        demo.fleet.daemons["dp-1"].end(signal.SIGKILL)
        say("half way: the distribution point is killed and stays away")
        demo.trouble["state"] = "over"
    if demo.scenario == "no-wan":
        no_wan(demo, state)
    if demo.scenario == "kill":
        kills(demo)


def no_wan(demo, state):
    if state == "armed" and demo.share() > 0.3:
        for relay in demo.relays.values():
            relay.process.send_signal(signal.SIGUSR1)
        say("both WAN lines are cut for 20 s")
        demo.trouble.update(state="cut", since=time.monotonic())
    if state == "cut" and time.monotonic() - demo.trouble["since"] > 20:
        for relay in demo.relays.values():
            relay.process.send_signal(signal.SIGUSR2)
        say("the WAN lines are back")
        demo.trouble["state"] = "over"


def dpkg_of(root):
    """Processes of dpkg working on this root."""
    found = []
    for pid in os.listdir("/proc"):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if words and os.path.basename(words[0]) == b"dpkg" and b"--root=" + root.encode() in words and any(w in words for w in (b"--unpack", b"--configure", b"-i", b"--install")):
            found.append(int(pid))
    return found


def restart(demo, name):
    time.sleep(demo.random.uniform(0.2, 1.5))
    demo.fleet.daemons[name].start()
    demo.trouble["log"].append(name)


def kills(demo):
    trouble = demo.trouble
    share = demo.share()
    while trouble["kills"] and share >= trouble["kills"][0][0]:
        _, victim = trouble["kills"].pop(0)
        demo.fleet.daemons[victim].end(signal.SIGKILL)
        say(f"{victim} is killed with SIGKILL and started again")
        restart(demo, victim)
    inside = trouble["inside"]
    if inside and inside_dpkg(demo, inside):
        trouble["inside"] = None
    if not trouble["kills"] and not trouble["inside"]:
        trouble["state"] = "over"


def inside_dpkg(demo, name):
    """Looks closely for a moment when the tool's maintainer script runs, then kills dpkg and the daemon together."""
    for pid in dpkg_of(demo.fleet.path(name, "root")):
        script = subprocess.run(["pgrep", "-P", str(pid), "-f", "postinst"], capture_output=True, text=True, check=False).stdout.split()
        if not script:
            continue
        os.kill(pid, signal.SIGKILL)
        demo.fleet.daemons[name].end(signal.SIGKILL)
        for child in script:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                pass
        os.unlink(demo.fleet.path(name, "root", "etc", "ferry-tool-sleep"))
        say(f"{name} is killed inside dpkg, with dpkg and its maintainer script, and started again")
        restart(demo, name)
        return True
    return False


def over(demo):
    return demo.scenario in ("plain", "nginx-dp") or demo.trouble["state"] == "over"


def proved(demo):
    """The trouble happened and somebody who looks at the site can see it."""
    if not over(demo):
        print(f"demo: the trouble of {demo.scenario} never came", file=sys.stderr)
        return False
    if demo.scenario in ("lying-dp", "lying-peer"):
        try:
            alerts = demo.fleet.ferry("alert list")
        except Refused as why:
            print(f"demo: {why}", file=sys.stderr)
            return False
        who = "dp-1" if demo.scenario == "lying-dp" else demo.address("a-1")
        if "refused" not in alerts or who not in alerts:
            print(f"demo: nobody told the site that {who} lies", file=sys.stderr)
            return False
    if demo.scenario == "dp-down":
        return any(demo.balanced(branch)[0]["origin"] > 0 for branch in ("a", "b"))
    return True
