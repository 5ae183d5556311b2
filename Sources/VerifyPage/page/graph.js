"use strict";

// Elements are made by these two alone, and words are always text nodes: what members wrote can never become markup.

/** An element with attributes and children; a string child becomes a text node. */
function element(name, attributes, ...children) {
  const isDrawn = element.drawn.has(name);
  const made = isDrawn ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) made.setAttribute(key, value);
  made.append(...children.map((child) => (typeof child === "string" ? document.createTextNode(visible(child)) : child)));
  return made;
}
element.drawn = new Set(["svg", "g", "rect", "circle", "path", "text", "title", "desc"]);

/** Escapes what would turn a line around or not be seen, as the report does; line feeds stay. */
function visible(text) {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu, (found) =>
    found === "\n" ? found : `\\u{${found.codePointAt(0).toString(16)}}`);
}

const logTitles = { rights: "权属 rights", trades: "交易 trades", refusals: "拒绝 refusals" };

function shanghaiTime(unixMs) {
  if (unixMs > 8e15) return `${unixMs} ms`; // beyond what a Date can be
  return new Date(unixMs + 8 * 3600_000).toISOString().slice(0, 16).replace("T", " ");
}

/** Draws the assets whose histories are proven, their events, and their parents above them; null without any. */
const provenance = (() => {
  const boxWidth = 344, gap = 32, widthMax = 1500, rise = 64, line = 20, padding = 14, eventsMax = 60;

  /** As much of a text as has room; characters of Chinese take two units. */
  function fitted(text, unitsMax) {
    const shown = visible(text).replace(/\n/g, " ");
    let units = 0, result = "";
    for (const character of shown) {
      units += character.codePointAt(0) >= 0x1100 ? 2 : 1;
      if (units > unitsMax) return result + "…";
      result += character;
    }
    return result;
  }

  function actorText(actor) {
    if (actor === null) return "账本自动 ledger";
    return actor.member ?? `化名 pseudonym ${actor.pseudonym.slice(0, 8)}…`;
  }

  /** What is written in a box: rows of { text, kind }, and for events a mark. */
  function rows(asset) {
    const list = [
      { text: asset.titleZh, kind: "title" }, { text: asset.titleEn, kind: "subtitle" },
      { text: `${asset.provider} · ${asset.status}`, kind: "small" },
      { text: `编号 id ${asset.asset.slice(0, 24)}…`, kind: "small" },
    ];
    for (const log of asset.logs) {
      list.push({ text: `${logTitles[log.log] ?? log.log}: ${log.events.length} 个事件 events, 无遗漏 complete`, kind: "heading" });
      for (const event of log.events.slice(0, eventsMax)) {
        const { entry } = event;
        const mark = entry.signature === "withheld" ? "withheld" : event.actor === null ? "automatic"
          : entry.code === 0 ? "accepted" : "refused";
        list.push({ text: `${event.index}  ${event.title.zh} ${event.title.en}`, kind: "event", mark });
        if (mark === "withheld") list.push({ text: "信封未披露 envelope withheld", kind: "detail" });
        if (entry.code !== 0) list.push({ text: `被拒绝 refused: ${entry.codeName ?? entry.code}`, kind: "detail" });
        list.push({ text: `${shanghaiTime(entry.timeMs)} · ${actorText(event.actor)}`, kind: "detail" });
      }
      const more = log.events.length - eventsMax;
      if (more > 0) list.push({ text: `另有 ${more} 个事件，见完整报告 more in the report`, kind: "detail" });
    }
    return list;
  }

  function unprovenRows(id) {
    return [
      { text: "未证明的来源资产", kind: "title" }, { text: "Parent without proof in this bundle", kind: "subtitle" },
      { text: `编号 id ${id.slice(0, 24)}…`, kind: "small" },
    ];
  }

  /** Boxes with their place, sources first; a box is one level below the lowest of its parents. */
  function layout(histories) {
    const boxes = new Map();
    for (const asset of histories) {
      const box = boxes.get(asset.asset) ?? { id: asset.asset, asset: { ...asset, logs: [] }, parents: [], included: new Set() };
      boxes.set(box.id, box);
      // Two questions about one asset may ask for different logs of it.
      const known = new Set(box.asset.logs.map((log) => log.log));
      box.asset.logs.push(...asset.logs.filter((log) => !known.has(log.log)));
      for (const parent of asset.parents ?? []) {
        if (!box.parents.includes(parent.asset)) box.parents.push(parent.asset);
        if (parent.included) box.included.add(parent.asset);
      }
    }
    for (const box of [...boxes.values()]) {
      for (const id of box.parents) if (!boxes.has(id)) boxes.set(id, { id, asset: null, parents: [], included: new Set() });
    }
    // Parents are older than what was derived from them, so levels end; the bound is for what must not be.
    const all = [...boxes.values()];
    all.forEach((box) => (box.level = 0));
    for (let round = 0, changed = true; changed && round < all.length; round++) {
      changed = false;
      for (const box of all) {
        const level = Math.max(0, ...box.parents.map((id) => boxes.get(id).level + 1));
        if (level > box.level) [box.level, changed] = [level, true];
      }
    }
    const levels = [];
    for (const box of all) (levels[box.level] ??= []).push(box);
    const width = Math.max(...levels.map((row) => row.length * (boxWidth + gap))) + gap;
    let y = gap / 2;
    for (const row of levels) {
      const start = (width - row.length * (boxWidth + gap) + gap) / 2;
      row.forEach((box, index) => {
        box.rows = box.asset ? rows(box.asset) : unprovenRows(box.id);
        box.height = box.rows.length * line + 2 * padding;
        [box.x, box.y] = [start + index * (boxWidth + gap), y];
      });
      const height = Math.max(...row.map((box) => box.height));
      row.forEach((box) => (box.bottom = y + height));
      y += height + rise;
    }
    // Arrows into one box do not cross.
    for (const box of all) box.parents.sort((one, other) => boxes.get(one).x - boxes.get(other).x);
    return { boxes, width, height: y - rise + gap / 2 };
  }

  function mark(kind, x, y) {
    switch (kind) {
      case "automatic": return element("rect", { class: `mark ${kind}`, x: x - 4, y: y - 4, width: 8, height: 8 });
      case "refused": return element("path", { class: `mark ${kind}`, d: `M${x - 4} ${y - 4}l8 8m0 -8l-8 8` });
      default: return element("circle", { class: `mark ${kind}`, cx: x, cy: y, r: 4.5 });
    }
  }

  const unitsMax = { title: 32, subtitle: 48, small: 50, heading: 48, event: 45, detail: 48 };

  function drawBox(box) {
    const name = box.asset ? `${box.asset.titleZh} · ${box.asset.titleEn}` : `未证明 unproven ${box.id}`;
    const group = element("g", { class: box.asset ? "asset" : "asset unproven" },
      element("title", {}, name),
      element("rect", { class: "box", x: box.x, y: box.y, width: boxWidth, height: box.height, rx: 6 }));
    let previous = null;
    box.rows.forEach((row, index) => {
      const y = box.y + padding + (index + 0.72) * line;
      const isEvent = row.kind === "event", isInside = isEvent || row.kind === "detail";
      const x = box.x + padding + (isInside ? 18 : 0);
      if (isEvent) {
        if (previous !== null) {
          group.append(element("path", { class: "thread", d: `M${x - 12} ${previous + 6}V${y - 10}` }));
        }
        group.append(mark(row.mark, x - 12, y - 4));
        previous = y - 4;
      } else if (!isInside) previous = null;
      group.append(element("text", { class: row.kind, x, y }, fitted(row.text, unitsMax[row.kind])));
    });
    return group;
  }

  function drawEdge(parent, child, index, count) {
    const [x1, y1] = [parent.x + boxWidth / 2, parent.bottom];
    const [x2, y2] = [child.x + (boxWidth * (index + 1)) / (count + 1), child.y];
    const bend = (y2 - y1) / 2;
    return element("path", {
      class: child.included.has(parent.id) ? "edge" : "edge unproven",
      d: `M${x1} ${parent.y + parent.height}V${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2 - 9}m-5 -1l5 9l5 -9`,
    });
  }

  return function draw(report) {
    const histories = report.findings.filter((finding) => finding.type === "asset-history");
    if (histories.length === 0) return null;
    const { boxes, width, height } = layout(histories);
    const events = histories.flatMap((asset) => asset.logs).reduce((sum, log) => sum + log.events.length, 0);
    const drawing = element("svg", { class: width > widthMax ? "wide" : "", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-labelledby": "drawn drawn-more" },
      element("title", { id: "drawn" }, `来源谱系 Provenance: ${histories.map((asset) => asset.titleZh).join("，")}`),
      element("desc", { id: "drawn-more" }, `${histories.length} 项资产 assets, ${events} 个事件 events; 文字见完整报告 in words in the report below`));
    for (const box of boxes.values()) {
      box.parents.forEach((id, index) => drawing.append(drawEdge(boxes.get(id), box, index, box.parents.length)));
    }
    for (const box of boxes.values()) drawing.append(drawBox(box));
    return drawing;
  };
})();
