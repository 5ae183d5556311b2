(() => {
  // The files that may be brought, with their numbers in huijin_verify.h and the bytes that huijin-verify reads of each.
  const files = {
    genesis: { kind: 1, limit: 4 << 20 },
    bundle: { kind: 2, limit: 256 << 20 },
    checkpoint: { kind: 4, limit: 128 << 10 },
    trust: { kind: 6, limit: 64 << 20 },
    note: { kind: 7, limit: 128 << 10 },
  };
  // What is typed; each line of the second and third is one part.
  const texts = { accepted: 5, expected: 3, witnesses: 8 };
  const program = Uint8Array.from(atob(byID("program").textContent), (character) => character.charCodeAt(0));
  const workerURL = URL.createObjectURL(new Blob([byID("worker").textContent], { type: "text/javascript" }));
  const chosen = {}; // by the names in `files`
  let running = null;
  let isTyping = false; // a field has changed and is not finished
  let hasForked = false; // two certified histories were found since the page was opened
  let drops = 0;

  const verdicts = {
    "proven": ["good", "已证明", "Proven"],
    "proven-false": ["bad", "证明为假", "Proven false"],
    "not-proven": ["open", "未获证明", "Not proven"],
    "cannot-be-trusted-yet": ["open", "暂不可信", "Cannot be trusted yet"],
    "fork-proven": ["bad", "两份经认证的历史，均不予采信", "Two certified histories; neither is to be believed"],
    "two-histories": ["bad", "与见证方所见不同，均不予采信", "Witnesses saw another history; neither is to be believed"],
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

  function fields(record) {
    return Object.entries(record).map(([name, value]) =>
      `${name}: ${value !== null && typeof value === "object" ? JSON.stringify(value) : value}`).join("\n");
  }

  function answer(finding) {
    switch (finding.type) {
      case "asset-history": return ["数据资产的完整历史", "Complete history of an asset",
        `${finding.titleZh} · ${finding.titleEn}\n${finding.asset}`];
      case "no-such-asset": return ["账本上没有该资产", "No such asset is on the ledger", finding.asset];
      case "transaction": return ["交易的结果", "What became of a transaction",
        `${finding.entry.codeName ?? finding.entry.code}\n${finding.entry.transaction ?? finding.entry.digest}`];
      case "record": return finding.present
        ? ["账本状态中的记录", "A record of the state",
          `${finding.recordType} ${finding.id.join(", ")}\n${finding.record ? fields(finding.record) : "内容未披露 withheld"}`]
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

  function seenBy(witnessed) {
    return [
      ...witnessed.witnesses.map((witness) => `${witness.name}，其称时间 its own word for the time: ${witness.time}`),
      `止于高度 ${witnessed.height} 的日志 the log ending with height ${witnessed.height}`,
      ...(witnessed.linked ? [] : ["此处未证明结论所依据的日志由其延续 nothing here shows that the answer's log goes on from it"]),
    ].join("\n");
  }

  function trustedTo(trust) {
    return trust.linked
      ? `${trust.height}`
      : `${trust.height}\n此处未证明与此前信任者同属一份历史 nothing here links it with what was trusted before`;
  }

  function showProven(report) {
    showVerdict("proven", [element("p", {}, ...both(
      `截至高度 ${report.height}，时间 ${report.time}`, `as of height ${report.height}, time ${report.time}`))]);
    if (hasForked) {
      byID("verdict").append(element("p", {}, ...both("打开本页以来已发现两份经认证的历史：查明之前不应据此作出判断。",
        "Two certified histories were found since this page was opened: until people have settled which is true, nothing should rest on this.")));
    }
    show("proven", [
      element("h2", {}, ...both("已证明的内容", "What is proven")),
      facts([
        ...report.findings.map(answer),
        ["账本", "Ledger", report.ledger],
        ["链标识（请与可信来源核对）", "Chain (compare it with a source that you trust)", report.chain],
        ["终局", "Final", `${report.finalizedBy.zh}\n${report.finalizedBy.en}; ${report.suite}`],
        ["区块头", "Header", report.header],
        ...(report.witnessed ? [["另经见证", "Also seen by", seenBy(report.witnessed)]] : []),
        ...(report.trust ? [["现已信任至高度", "Trusted to height", trustedTo(report.trust)]] : []),
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

  /** What is to be kept goes where its owner says; the page itself keeps nothing. */
  function showKept(kept, name, [chinese, english], hint) {
    const save = element("button", { type: "button" }, ...both(chinese, english));
    save.addEventListener("click", () => {
      const link = element("a", { href: URL.createObjectURL(new Blob([kept])), download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    });
    byID("verdict").append(save, element("p", {}, ...both(...hint)));
  }

  function showResult({ code, json, text, kept, fault }) {
    if (fault !== undefined) return showVerdict("fault", [element("p", {}, fault)]);
    const report = JSON.parse(json);
    if ((code === 0) !== (report.verdict === "proven") || !Object.hasOwn(verdicts, report.verdict)) {
      return showVerdict("fault", [element("p", {}, `code ${code}, ${report.verdict}`)]);
    }
    if (code === 0) showProven(report);
    else showVerdict(report.verdict, [report.place, report.fault].filter(Boolean).map(paragraph));
    if (kept && code === 0) {
      showKept(kept, "huijin.trust", ["保存信任文件", "Save what is trusted now"], ["本页不保留任何内容：保存后，下次核验时选用该文件。",
        "This page keeps nothing: save it, and choose that file the next time."]);
    } else if (kept) {
      showKept(kept, report.byEndedKeys ? "huijin.old-fork" : "huijin.fork", ["保存分叉证据", "Save the fork evidence"],
        ["本页不保留任何内容；任何人可用 huijin-verify fork 核验该证据。",
          "This page keeps nothing; anybody can judge the evidence with huijin-verify fork."]);
    }
    if (code === 3) hasForked ||= !report.byEndedKeys;
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

  /** All that was brought, or null while a file is still being read or could not be. */
  function partsBrought() {
    const parts = [];
    for (const [name, { kind }] of Object.entries(files)) {
      if (!(name in chosen)) continue;
      if (chosen[name].bytes === null) return null;
      parts.push({ kind, bytes: chosen[name].bytes });
    }
    if (!("trust" in chosen) && byID("follow").checked) parts.push({ kind: files.trust.kind, bytes: new Uint8Array(0) });
    for (const [name, kind] of Object.entries(texts)) {
      for (const line of byID(name).value.split("\n").map((text) => text.trim()).filter(Boolean)) {
        parts.push({ kind, bytes: new TextEncoder().encode(line) });
      }
    }
    return parts;
  }

  function verify() {
    reset();
    if (isTyping) return;
    // Nothing counts that is not seen.
    if (Object.keys(texts).some((name) => byID(name).value) || byID("follow").checked) byID("more").open = true;
    const parts = partsBrought();
    if (!parts || !("genesis" in chosen) || !("bundle" in chosen)) return;
    showVerdict("working");
    const worker = (running = new Worker(workerURL));
    worker.onmessage = ({ data }) => finish(worker, data);
    worker.onerror = (event) => finish(worker, { fault: event.message || "worker" });
    worker.postMessage({ program, parts, nowMs: Date.now() });
  }

  /** Each kind of file begins differently; what is none of them goes in as a bundle and is refused there. */
  async function kindOf(file) {
    try {
      const start = new TextDecoder("latin1").decode(await file.slice(0, 24).arrayBuffer());
      if (start.includes("huijin/genesis/")) return "genesis";
      if (start.includes("huijin/trust/")) return "trust";
      if (start.includes("huijin/header/")) return "checkpoint";
      return start.startsWith("huijin/") ? "note" : "bundle";
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
    if (kind === "trust") byID("follow").checked = false;
    if (file.size === 0) {
      name.append(" · 空文件 an empty file");
      return;
    }
    if (file.size > files[kind].limit) {
      name.append(` · 过大 too large: ${files[kind].limit.toLocaleString("en")} B`);
      return;
    }
    try {
      choice.bytes = new Uint8Array(await file.arrayBuffer());
    } catch {
      if (chosen[kind] === choice) name.append(" · 无法读取 cannot be read");
    }
  }

  /** As if the file had not been brought. */
  function forget(kind) {
    delete chosen[kind];
    byID(kind).value = "";
    byID(`${kind}-name`).replaceChildren(...both("未选择", "none"));
    verify();
  }

  for (const kind of Object.keys(files)) {
    byID(kind).addEventListener("change", async ({ target }) => {
      if (target.files.length === 0) return;
      const [file] = target.files;
      target.value = ""; // the same name may be chosen again, with other bytes
      await choose(kind, file);
      verify();
    });
  }
  for (const button of document.querySelectorAll("button[data-forget]")) {
    button.addEventListener("click", () => forget(button.dataset.forget));
  }
  for (const name of Object.keys(texts)) {
    // While it is typed no verdict is of what stands there.
    byID(name).addEventListener("input", () => {
      isTyping = true;
      reset();
    });
    for (const event of ["change", "blur"]) {
      byID(name).addEventListener(event, () => {
        if (event === "blur" && !isTyping) return;
        isTyping = false;
        verify();
      });
    }
  }
  byID("follow").addEventListener("change", () => {
    if (byID("follow").checked) forget("trust");
    else verify();
  });
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  addEventListener("dragleave", () => document.body.classList.remove("dragging"));
  addEventListener("drop", async (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.remove("dragging");
    reset();
    const drop = ++drops;
    for (const file of [...event.dataTransfer.files]) {
      const kind = await kindOf(file);
      if (drop !== drops) return; // a later one counts
      if (byID("more").contains(byID(kind))) byID("more").open = true;
      await choose(kind, file);
    }
    verify();
  });
})();
