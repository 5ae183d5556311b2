(() => {
  const limits = { genesis: 4 << 20, bundle: 256 << 20 }; // bytes; the same as of huijin-verify
  const program = Uint8Array.from(atob(byID("program").textContent), (character) => character.charCodeAt(0));
  const workerURL = URL.createObjectURL(new Blob([byID("worker").textContent], { type: "text/javascript" }));
  const chosen = { genesis: null, bundle: null };
  let running = null;

  const verdicts = {
    "proven": ["good", "已证明", "Proven"],
    "proven-false": ["bad", "证明为假", "Proven false"],
    "not-proven": ["open", "未获证明", "Not proven"],
    "cannot-be-trusted-yet": ["open", "暂不可信", "Cannot be trusted yet"],
    "misuse": ["open", "无法核验", "Cannot be verified"],
    "working": ["working", "正在核验…", "Verifying…"],
    "fault": ["bad", "核验程序出错，未获证明", "The verifier failed; nothing is proven"],
  };

  function byID(id) { return document.getElementById(id); }

  function both(chinese, english) {
    return [element("span", {}, chinese), " ", element("span", { lang: "en" }, english)];
  }

  /** Fills a section and shows it, or hides it when there is nothing to show. */
  function show(id, children) {
    byID(id).replaceChildren(...children);
    byID(id).hidden = children.length === 0;
  }

  function showVerdict(name, detail = []) {
    const [tone, chinese, english] = verdicts[name];
    byID("verdict").dataset.verdict = name;
    byID("verdict").className = tone;
    show("verdict", [element("h2", {}, ...both(chinese, english)), ...detail]);
  }

  function paragraph(words) { return element("p", {}, ...both(words.zh, words.en)); }

  function facts(pairs) {
    return element("dl", {}, ...pairs.flatMap(([chinese, english, value]) =>
      [element("dt", {}, ...both(chinese, english)), element("dd", {}, value)]));
  }

  function then(finding) { return `高度 height ${finding.height}, ${shanghaiTime(finding.timeMs)}`; }

  function answer(finding) {
    switch (finding.type) {
      case "asset-history": return ["数据资产的完整历史", "Complete history of an asset",
        `${finding.titleZh} · ${finding.titleEn}\n${finding.asset}`];
      case "no-such-asset": return ["账本上没有该资产", "No such asset is on the ledger", finding.asset];
      case "transaction": return ["交易的结果", "What became of a transaction",
        `${finding.entry.codeName ?? finding.entry.code}\n${finding.entry.transaction ?? finding.entry.digest}`];
      case "record": return finding.present
        ? ["账本状态中的记录", "A record of the state",
          `${finding.recordType} ${finding.id.join(", ")}\n${finding.record ?? "内容未披露 withheld"}`]
        : ["账本状态中没有该记录", "No such record in the state", `${finding.recordType} ${finding.id.join(", ")}`];
      case "header": return ["较早的区块头，与本账本一致", "An older header, consistent with the ledger",
        `${finding.height}\n${finding.header}`];
      case "licence": return [...(finding.live ? ["许可当时有效", "The licence was live then"] : ["许可当时无效", "The licence was not live then"]),
        `${then(finding)}\n${finding.reason.zh} ${finding.reason.en}\n${finding.licence}`];
      case "role": return [...(finding.held ? ["成员当时具有该角色", "The member held the role then"]
        : ["成员当时不具有该角色", "The member did not hold the role then"]), `${finding.member} · ${finding.role}\n${then(finding)}`];
      case "output": return [...(finding.released ? ["输出经审核放行", "The output was reviewed and released"]
        : ["输出未放行", "The output was not released"]), `${finding.status ?? "无此作业 no such job"}\n${finding.job}`];
      default: return ["其他，见完整报告", "Other, see the report", finding.type];
    }
  }

  function showProven(report) {
    showVerdict("proven", [element("p", {}, ...both(
      `截至高度 ${report.height}，时间 ${report.time}`, `as of height ${report.height}, time ${report.time}`))]);
    show("proven", [
      element("h2", {}, ...both("已证明的内容", "What is proven")),
      facts([
        ...report.findings.map(answer),
        ["账本", "Ledger", report.ledger],
        ["链标识（请与可信来源核对）", "Chain (compare it with a source that you trust)", report.chain],
        ["签名终局", "Finalized by",
          `${report.validators} 个记账节点中 ${report.signatures} 个（需 ${report.quorum} 个）\n`
          + `${report.signatures} of ${report.validators} validators, ${report.quorum} needed; ${report.suite}`],
        ["区块头", "Header", report.header],
      ]),
    ]);
    show("claimed", [
      element("h2", {}, ...both("仅为陈述、此处未证明", "Only claimed, not proven here")),
      element("ul", {}, ...report.claims.map((claim) => element("li", {}, ...both(claim.zh, claim.en)))),
    ]);
    const drawing = provenance(report);
    byID("drawing").replaceChildren(...(drawing ? [drawing] : []));
    byID("graph").hidden = drawing === null;
  }

  function showResult({ code, json, text, fault }) {
    if (fault !== undefined) return showVerdict("fault", [element("p", {}, fault)]);
    const report = JSON.parse(json);
    if ((code === 0) !== (report.verdict === "proven") || !(report.verdict in verdicts)) {
      return showVerdict("fault", [element("p", {}, `code ${code}, ${report.verdict}`)]);
    }
    if (code === 0) showProven(report);
    else showVerdict(report.verdict, [report.place, report.fault].filter(Boolean).map(paragraph));
    byID("report").append(...text.split(/(?<=\n)/).map((line) => element("span", {}, line)));
    byID("json").textContent = json;
    byID("full").hidden = false;
  }

  function clear() {
    for (const id of ["proven", "claimed"]) show(id, []);
    for (const id of ["graph", "full"]) byID(id).hidden = true;
    for (const id of ["drawing", "report", "json"]) byID(id).replaceChildren();
  }

  function finish(worker, result) {
    if (worker !== running) return;
    worker.terminate();
    running = null;
    try {
      showResult(result);
    } catch (fault) {
      clear();
      showVerdict("fault", [element("p", {}, String(fault))]);
    }
  }

  /** What was said of other files may not stand beside these. */
  function reset() {
    running?.terminate();
    running = null;
    clear();
    show("verdict", []);
  }

  function verify() {
    reset();
    const [genesis, bundle] = [chosen.genesis?.bytes, chosen.bundle?.bytes];
    if (!genesis || !bundle) return;
    showVerdict("working");
    const worker = (running = new Worker(workerURL));
    worker.onmessage = ({ data }) => finish(worker, data);
    worker.onerror = (event) => finish(worker, { fault: event.message || "worker" });
    worker.postMessage({ program, genesis, bundle });
  }

  /** The two kinds of file begin differently; what is neither goes in as a bundle and is refused there. */
  async function kindOf(file) {
    try {
      const start = new TextDecoder("latin1").decode(await file.slice(0, 24).arrayBuffer());
      return start.includes("huijin/genesis/") ? "genesis" : "bundle";
    } catch {
      return "bundle"; // `choose` says that it cannot be read
    }
  }

  /** Of two choices of one kind the later counts, whichever is read first. */
  async function choose(kind, file) {
    reset();
    const choice = (chosen[kind] = { bytes: null });
    const name = byID(`${kind}-name`);
    name.replaceChildren(visible(file.name), ` · ${file.size.toLocaleString("en")} B`);
    if (file.size > limits[kind]) {
      name.append(` · 过大 too large: ${limits[kind].toLocaleString("en")} B`);
      return;
    }
    try {
      choice.bytes = new Uint8Array(await file.arrayBuffer());
    } catch {
      if (chosen[kind] === choice) name.append(" · 无法读取 cannot be read");
    }
  }

  for (const kind of ["genesis", "bundle"]) {
    byID(kind).addEventListener("change", async ({ target }) => {
      if (target.files.length === 0) return;
      await choose(kind, target.files[0]);
      verify();
    });
  }
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  addEventListener("dragleave", () => document.body.classList.remove("dragging"));
  addEventListener("drop", async (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    reset();
    for (const file of [...event.dataTransfer.files]) await choose(await kindOf(file), file);
    verify();
  });
})();
