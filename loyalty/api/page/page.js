"use strict";
// The page reads the JSON API and nothing else. Text reaches the document only through textContent.

const API = "/api/v1";
const REFRESH_MS = 4000;
const TOP = 10;
const ROUNDS = 5;
const element = (id) => document.getElementById(id);
let timer = 0;
let lookedUp = null;
let asked = 0;
let explained = 0;
let score = null;

class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function get(path) {
  let answer;
  try {
    answer = await fetch(API + path, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(15000) });
  } catch {
    throw new Problem(0, "The server does not answer. This page tries again by itself.");
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, body.detail || `The server answered ${answer.status}.`);
  return body;
}

function make(tag, { text, kind, label, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  if (label) made.dataset.label = label;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter(Boolean));
  return made;
}

// Decimal strings are cut, never rounded up, and never become floating-point numbers on the way.
function grouped(decimal, places) {
  const [whole, fraction = ""] = decimal.split(".");
  const shown = fraction.slice(0, places).padEnd(Math.min(places, 2), "0");
  const digits = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return places && /[^0]/.test(shown) ? `${digits}.${shown}` : digits;
}

const usd = (decimal) => `$${grouped(decimal, decimal.length < 11 ? 2 : 0)}`;
const amount = (each) => `${grouped(each.amount, each.amount.split(".")[0].length > 3 ? 0 : 2)} ${each.token}`;
const amounts = (list) => list.filter((each) => each.amount_units !== "0").map(amount).join(" + ") || "none yet";
const percent = (share) => `${(Number(share) * 100).toFixed(2)}%`;
const short = (address) => `${address.slice(0, 8)}…${address.slice(-6)}`;
const badge = (status) => make("span", { text: status, kind: `badge ${status}` });

function minute(time) {
  const format = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: "UTC", hour12: false };
  return new Intl.DateTimeFormat("en-GB", format).format(new Date(time));
}

const moment = (time) => `${minute(time)} UTC`;

function duration(milliseconds) {
  const hours = Math.max(0, Math.floor(milliseconds / 3600000));
  const days = Math.floor(hours / 24);
  if (days > 13) return `${Math.floor(days / 7)} weeks`;
  if (days) return `${days} d ${hours % 24} h`;
  return `${hours} h ${Math.floor((milliseconds / 60000) % 60)} min`;
}

function showProgram(program) {
  element("name").textContent = program.name;
  document.title = program.name;
  const now = program.time ? Date.parse(program.time) : null;
  const start = Date.parse(program.start);
  const end = Date.parse(program.end);
  const position = program.position.charAt(0).toUpperCase() + program.position.slice(1);
  const left = program.phase === "running" ? ` · ${duration(Date.parse(program.current_epoch_end) - now)} left in this one, ${duration(end - now)} in the program` : "";
  element("position").textContent = position + left;
  const done = now === null ? 0 : Math.min(100, Math.max(0, ((now - start) / (end - start)) * 100));
  const bar = element("progress");
  bar.hidden = false;
  bar.setAttribute("aria-valuenow", Math.round(done));
  bar.firstElementChild.style.width = `${done}%`;
  if (program.phase === "not_started") notice(`The program starts on ${moment(program.start)}. Balances and tiers appear here then.`);
}

function number(title, value, ...below) {
  return make("div", { kind: "card" }, make("dt", { text: title }), make("dd", { text: value }), ...below.map((text) => make("dd", { text, kind: "sub" })));
}

function showNumbers(program, statistics, epochs) {
  const [main] = program.budgets;
  const paid = main ? amount(main.paid) : "none";
  const left = main && main.left ? `${amount(main.left)} left of ${amount(main.total)}` : "";
  const others = program.budgets.slice(1).map((each) => `${amount(each.paid)} paid too`);
  const current = epochs.items.at(-1);
  const box = element("numbers");
  box.replaceChildren(
    number("Liquidity now", usd(statistics.usd), `${usd(statistics.usd_in_range)} in range`, `${usd(statistics.weighted_usd)} weighted by tier`),
    number("Providers", String(statistics.providers), `in ${statistics.tiers.filter((each) => each.providers).length} of ${statistics.tiers.length} tiers`),
    number("Paid so far", paid, left, ...others),
    current
      ? number(`Epoch ${current.number} of ${program.epochs}`, amounts(current.budget), `to divide, ${current.status}`, `${program.settled_epochs} epochs settled`)
      : number("Epochs", `0 of ${program.epochs}`, "none is computed yet"),
  );
  box.setAttribute("aria-busy", "false");
}

function showTiers(tiers) {
  const most = Math.max(1, ...tiers.items.map((each) => each.providers));
  element("tiers").replaceChildren(
    ...tiers.items.map((each) => {
      const bar = make("div", { kind: "bar", "aria-hidden": "true" }, make("span"));
      bar.firstElementChild.style.width = `${(each.providers / most) * 100}%`;
      const since = each.from_epoch === 1 ? "from the first epoch" : `from the ${ordinal(each.from_epoch)} epoch in it`;
      const minimum = Number(each.minimum_usd) ? `, with ${usd(each.minimum_usd)}` : "";
      return make(
        "li",
        {},
        make("div", { kind: "top-line" }, make("span", { text: each.tier }), make("span", { text: `× ${each.multiplier}`, kind: "times" })),
        bar,
        make("div", { text: `${each.providers} ${each.providers === 1 ? "provider" : "providers"}` }),
        make("div", { text: since + minimum, kind: "sub" }),
      );
    }),
  );
}

function ordinal(count) {
  const last = count % 100 > 10 && count % 100 < 14 ? 0 : count % 10;
  return count + ({ 1: "st", 2: "nd", 3: "rd" }[last] || "th");
}

function showProviders(providers) {
  const body = element("providers").tBodies[0];
  element("epoch-label").replaceChildren(...(providers.epoch ? [document.createTextNode(`epoch ${providers.epoch} `), badge(providers.status)] : []));
  if (!providers.items.length) {
    body.replaceChildren(make("tr", {}, make("td", { text: "No liquidity is counted yet.", kind: "empty wide-cell", colspan: 5 })));
    return;
  }
  replaceRows(
    "providers",
    providers.items.map((each) =>
      make(
        "tr",
        {},
        make("td", {}, addressButton(each.address)),
        make("td", { text: each.tier ? `${each.tier} × ${each.multiplier}` : each.excluded ? "excluded" : "–" }),
        make("td", { text: each.average_usd ? usd(each.average_usd) : "–", kind: "n", label: "Average" }),
        make("td", { text: percent(each.weight_share), kind: "n", label: "Share" }),
        make("td", { text: amounts(each.rewards), kind: "n wide-cell", label: "Rewards" }),
      ),
    ),
  );
}

function fact(title, value, below) {
  return make("div", {}, make("dt", { text: title }), make("dd", { text: value }), below ? make("dd", { text: below, kind: "sub" }) : null);
}

function spark(days) {
  const byDate = new Map();
  for (const day of days) byDate.set(day.date, (byDate.get(day.date) || 0) + Number(day.usd_days));
  const values = [...byDate.values()];
  const most = Math.max(...values, 1);
  const space = "http://www.w3.org/2000/svg";
  const chart = document.createElementNS(space, "svg");
  chart.setAttribute("class", "spark");
  chart.setAttribute("viewBox", "0 0 300 56");
  chart.setAttribute("preserveAspectRatio", "none");
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", `Dollar-days of the last ${values.length} days, at most $${Math.round(most).toLocaleString("en")}`);
  values.forEach((value, index) => {
    const height = Math.max(1, (value / most) * 54);
    const bar = document.createElementNS(space, "rect");
    for (const [name, each] of Object.entries({ x: index * 10 + 1, y: 56 - height, width: 8, height })) bar.setAttribute(name, each);
    chart.append(bar);
  });
  return chart;
}

function grouping(rewards) {
  const byEpoch = new Map();
  for (const each of rewards) byEpoch.set(each.epoch, [...(byEpoch.get(each.epoch) || []), each]);
  return byEpoch;
}

// Several shares a rank: 2= says so.
const rankOf = (leader) => (leader.shared_by > 1 ? `${leader.rank}=` : String(leader.rank));
const inPoints = (points) => grouped(points, points.length < 12 ? 2 : 0);

function addressButton(address) {
  const look = make("button", { text: short(address), kind: "link address", type: "button", title: address, "data-address": address, "aria-label": `Look up ${address}` });
  look.addEventListener("click", () => lookUp(address, true));
  return look;
}

// Rows that come anew keep the focus where it was.
function replaceRows(table, rows) {
  const body = element(table).tBodies[0];
  const focused = body.contains(document.activeElement) ? document.activeElement.dataset.address : null;
  body.replaceChildren(...rows);
  if (focused) body.querySelector(`[data-address="${CSS.escape(focused)}"]`)?.focus();
}

function showLeaders(leaderboard) {
  element("points").hidden = !leaderboard.scores.length;
  element("points-status").replaceChildren(document.createTextNode(`${leaderboard.score ?? ""} `), badge(leaderboard.status));
  showScores(leaderboard);
  const none = make("tr", {}, make("td", { text: "Nobody has points yet.", kind: "empty wide-cell", colspan: 3 }));
  const rows = leaderboard.items.map((leader) =>
    make("tr", {}, make("td", {}, addressButton(leader.address)), make("td", { text: rankOf(leader), kind: "n", label: "Rank" }), make("td", { text: inPoints(leader.points), kind: "n wide-cell", label: "Points" })),
  );
  replaceRows("leaders", rows.length ? rows : [none]);
}

function showScores(leaderboard) {
  const box = element("scores");
  box.hidden = leaderboard.scores.length < 2;
  const shown = [...box.children].map((each) => each.textContent).join("\n");
  if (shown !== leaderboard.scores.join("\n")) box.replaceChildren(...leaderboard.scores.map(scoreButton));
  for (const each of box.children) each.setAttribute("aria-pressed", String(each.textContent === leaderboard.score));
}

function scoreButton(name) {
  const button = make("button", { text: name, type: "button" });
  button.addEventListener("click", async () => {
    score = name;
    try {
      showLeaders(await get(leaderboardPath()));
    } catch (problem) {
      notice(problem.message, problem.status !== 503);
    }
  });
  return button;
}

const leaderboardPath = () => `/leaderboard?limit=${TOP}${score === null ? "" : `&score=${encodeURIComponent(score)}`}`;

function showRounds(rounds) {
  const vaults = new Set(rounds.items.map((each) => each.pool));
  element("rounds-part").hidden = !vaults.size;
  element("h-rounds").replaceChildren(...(vaults.size === 1 ? [document.createTextNode("Latest rounds of "), make("span", { text: [...vaults][0], kind: "address" })] : [document.createTextNode("Latest rounds")]));
  replaceRows("rounds", rounds.items.map((round) => roundRow(round, vaults.size > 1)));
}

function roundRow(round, withVault) {
  const points = round.points.map((each) => `${inPoints(each.points)} ${each.score}`).join(" + ") || "–";
  const vault = withVault ? [make("span", { text: ` of ${short(round.pool)}`, kind: "address sub" })] : [];
  return make(
    "tr",
    {},
    make("td", { title: round.pool, label: "Round" }, document.createTextNode(String(round.round)), ...vault),
    make("td", { text: round.start ? minute(round.start) : "with the vault", kind: "when", label: "Began, UTC" }),
    round.end ? make("td", { text: minute(round.end), kind: "when", label: "Ended, UTC" }) : make("td", { label: "Ended, UTC" }, make("span", { text: "open", kind: "badge provisional" })),
    make("td", { text: round.price_per_share ? `${round.price_per_share} ${round.asset}` : "–", kind: "n", label: "Price per share" }),
    make("td", { text: round.yield ? `${grouped(round.yield, 2)} ${round.asset}` : "–", kind: "n", label: "Yield" }),
    make("td", { text: round.participants === null ? "–" : String(round.participants), kind: "n", label: "Holders" }),
    make("td", { text: round.reason || points, kind: round.reason ? "wide-cell" : "n wide-cell", label: "Points" }),
  );
}

function pointsParts(mine) {
  const totals = mine.scores.filter((each) => each.rank !== null);
  if (!totals.length) return [];
  const facts = totals.map((each) => fact(each.score, `${inPoints(each.points)} points`, `rank ${each.rank}`));
  return [make("h3", { text: "Points" }), make("dl", { kind: "facts" }, ...facts), make("ul", { kind: "mine" }, ...mine.items.map(pointLine))];
}

function pointLine(each) {
  const when = each.round === null ? each.date : `round ${each.round} from ${moment(each.start)}`;
  const what = each.round === null ? `${grouped(each.usd, 2)} dollar-days` : `${each.shares} shares × ${each.price_per_share} × $${each.price} = ${usd(each.usd)}`;
  const gives = each.reason ? `, no points: ${each.reason}` : ` × ${each.rate} = ${grouped(each.points, 6)} ${each.score}`;
  return make("li", {}, document.createTextNode(`${when}: ${what}${gives} `), badge(each.status));
}

function showFound(provider, mine) {
  const tier = provider.tier ? `${provider.tier} × ${provider.multiplier}` : provider.excluded ? "Excluded" : "In no tier";
  const climb = provider.excluded
    ? provider.excluded
    : provider.next_tier
      ? `${provider.next_tier.tier} × ${provider.next_tier.multiplier} in ${provider.next_tier.epochs_to_go} more epochs`
      : "the highest tier";
  const facts = make(
    "dl",
    { kind: "facts" },
    fact("Balance now", usd(provider.usd), `${usd(provider.usd_in_range)} in range`),
    fact("Tier", tier, climb),
    fact("Share of weight, this epoch", percent(provider.weight_share), provider.average_usd ? `${usd(provider.average_usd)} on average` : "does not qualify yet"),
    fact("Earned", amounts(provider.earned), "in settled epochs"),
    fact("Provisional", amounts(provider.provisional), "in epochs not settled yet"),
  );
  const parts = [make("p", { kind: "found-head" }, make("span", { text: provider.address, kind: "address" }), document.createTextNode(" "), badge(provider.status)), facts];
  if (provider.days.length) parts.push(make("h3", { text: "Last 30 days, dollar-days" }), spark(provider.days));
  if (provider.last_rewards.length) {
    const byEpoch = grouping(provider.last_rewards);
    const rows = [...byEpoch].map(([epoch, each]) =>
      make("tr", {}, make("td", { text: `Epoch ${epoch}`, kind: "when" }), make("td", { text: amounts(each) }), make("td", {}, badge(each[0].status)), make("td", { kind: "n" }, whyButton("why?", provider.address, epoch, `Explain the reward of epoch ${epoch}`))),
    );
    parts.push(make("h3", { text: "Last rewards" }), make("div", { kind: "scroll", tabindex: "0", role: "region", "aria-label": "Last rewards" }, make("table", {}, make("tbody", {}, ...rows))));
  } else if (provider.epoch) {
    parts.push(make("p", { kind: "sub" }, whyButton(`Why nothing in epoch ${provider.epoch}?`, provider.address, provider.epoch)));
  }
  parts.push(...pointsParts(mine));
  const focused = document.activeElement?.dataset?.epoch;
  element("found").replaceChildren(...parts);
  if (focused) element("found").querySelector(`[data-epoch="${CSS.escape(focused)}"]`)?.focus();
}

function whyButton(text, address, epoch, label = text) {
  const button = make("button", { text, kind: "link", type: "button", "aria-label": label, "data-epoch": epoch });
  button.addEventListener("click", () => showWhy(address, epoch));
  return button;
}

// An exact fraction such as "1250/3", cut to `places` decimals with whole numbers alone.
function cut(exact, places) {
  const [over, under = "1"] = exact.split("/");
  if (under === "1") return exact;
  const scaled = ((BigInt(over) * 10n ** BigInt(places)) / BigInt(under)).toString().padStart(places + 1, "0");
  return `${scaled.slice(0, -places)}.${scaled.slice(-places)}`;
}

function step(title, ...children) {
  return make("li", {}, make("h3", { text: title }), ...children);
}

function line(text) {
  return make("p", { text });
}

function whyReward(why) {
  const lines = why.rewards.map((each) => {
    const carried = each.carried_in_units === "0" ? "" : " with what was carried in";
    const last = each.remainder_units === "0" ? "" : ", and one unit of what rounding down left";
    return line(`${each.amount} ${each.token}: the share of weight in the epoch's budget${carried}, rounded down to the unit${last}.`);
  });
  return step("Reward", ...(lines.length ? lines : [line("Nothing in this epoch.")]));
}

function whyWeight(why) {
  const pools = why.pools.map((each) => line(`${grouped(each.usd_days, 2)} dollar-days in pool ${short(each.pool)}, pool weight ${each.pool_weight}`));
  const share = Number(why.total_weight) ? percent(Number(why.weight) / Number(why.total_weight)) : "0%";
  const own = `${grouped(why.weight, 2)} of everybody's ${grouped(why.total_weight, 2)}: ${share}. It is dollar-days × pool weight × multiplier ${why.standing.multiplier}.`;
  return step("Weight", line(own), ...pools);
}

function whyTier(why) {
  const { standing } = why;
  const average = usd(cut(standing.average_usd, 6));
  const first = standing.qualifies
    ? `${average} on average over the epoch: it counts, after ${standing.qualifying_before} before it, as participation epoch ${standing.participation_epoch}.`
    : `${average} on average over the epoch does not count: at least ${usd(standing.minimum_usd)} and more than nothing is needed.`;
  const tiers = standing.tiers.map((each) => {
    const missing = [each.begun ? "" : `begins with the ${ordinal(each.from_epoch)}`, each.reaches_minimum ? "" : `needs ${usd(each.minimum_usd)}`].filter(Boolean);
    return make("li", { text: `${each.tier} × ${each.multiplier}: ${each.reached ? "reached" : missing.join(", ")}`, kind: each.tier === standing.tier ? "here" : "" });
  });
  return step(standing.tier ? `${standing.tier} × ${standing.multiplier}` : "In no tier", line(first), make("ul", {}, ...tiers));
}

function whyPosition(each) {
  const from = each.liquidity.map((part) => (part.block === null ? "" : `log ${part.log_index} of block ${part.block.toLocaleString("en")}`)).filter(Boolean);
  const logs = [...new Set(from)];
  const dollarDays = `${each.position}: ${grouped(cut(each.usd_days, 6), 2)} dollar-days`;
  const told = each.lower_tick === null ? dollarDays : `${dollarDays}, in range ${duration(each.in_range_seconds * 1000)} of ticks ${each.lower_tick} to ${each.upper_tick}`;
  return make("li", { text: logs.length ? `${told}; ${logs.join(", ")}` : told, kind: "address" });
}

function whyPrices(prices) {
  const byToken = new Map();
  for (const each of prices) byToken.set(each.token, [...(byToken.get(each.token) || []), each]);
  return [...byToken].map(([token, each]) => {
    const sources = [...new Set(each.map((point) => (point.reason ? `${point.source}: ${point.reason}` : point.source)))].join(", ");
    const [first, last] = [each[0], each.at(-1)];
    return make("li", { text: each.length > 1 ? `${token}: ${each.length} prices from $${first.usd} to $${last.usd} (${sources})` : `${token}: $${first.usd} (${sources})` });
  });
}

function whyShareWorth(told) {
  if (!told.length) return [];
  const [first, last] = [told[0], told.at(-1)];
  const unit = first.unit ? ` ${first.unit}` : "";
  return [make("li", { text: told.length > 1 ? `${first.told}: ${told.length} from ${first.value} to ${last.value}${unit}` : `${first.told}: ${first.value}${unit}` })];
}

function whyDay(day) {
  const head = `${day.date}, pool ${short(day.pool)}: ${grouped(day.usd_days, 2)} dollar-days${day.counted ? "" : `, not counted: ${day.reason}`}`;
  const inside = day.positions
    ? [...day.positions.map(whyPosition), ...whyShareWorth(day.share_worth || []), ...whyPrices(day.prices || [])]
    : [make("li", { text: "This day still runs, and is being computed again: ask again in a moment." })];
  return make("details", {}, make("summary", { text: head }), make("ul", {}, ...inside));
}

async function showWhy(address, epoch) {
  const mine = ++explained;
  const path = `/providers/${address}/explain?epoch=${epoch}`;
  element("why").hidden = false;
  element("why").dataset.of = epoch;
  element("h-why").textContent = `Why in epoch ${epoch}?`;
  element("why-told").replaceChildren(line("Computing it again from the facts…"));
  element("h-why").focus();
  try {
    const why = await get(path);
    if (mine === explained) element("why-told").replaceChildren(...toldWhy(why, API + path));
  } catch (problem) {
    if (mine === explained) element("why-told").replaceChildren(make("p", { text: problem.message, kind: "error" }));
  }
}

function toldWhy(why, path) {
  const whose = make("p", {}, make("span", { text: why.address, kind: "address" }), document.createTextNode(" "), badge(why.status));
  const exclusions = why.exclusions.map((each) => line(`Excluded from ${each.from || "the start"} until ${each.until || "the end"}: ${each.reason}`));
  const days = step("Days", line("What was held over each day, in dollars, from positions and prices."), ...why.days.map(whyDay));
  const exact = make("p", { kind: "sub" }, document.createTextNode(why.digest ? `Digest ${why.digest}. ` : ""), make("a", { text: "Every digit as JSON", href: path }));
  return [whose, ...exclusions, make("ol", { kind: "why" }, whyReward(why), whyWeight(why), whyTier(why), days), exact];
}

function hideWhy() {
  explained += 1;
  element("why").hidden = true;
}

function lookupError(text) {
  const place = element("lookup-error");
  place.textContent = text || "";
  place.hidden = !text;
  element("address").setAttribute("aria-invalid", text ? "true" : "false");
}

async function lookUp(address, scroll = false) {
  const mine = ++asked;
  element("address").value = address;
  hideWhy();
  if (!/^0x[0-9a-fA-F]{40}$/.test(address)) {
    lookedUp = null;
    element("found").replaceChildren();
    lookupError("An address is 0x and 40 hexadecimal digits.");
    return;
  }
  if (lookedUp !== address) element("found").replaceChildren(make("p", { text: "Looking up…", kind: "sub found-head" }));
  try {
    const [provider, points] = await found(address);
    if (mine !== asked) return;
    lookedUp = address;
    lookupError("");
    showFound(provider, points);
    history.replaceState(null, "", `#${provider.address}`);
    if (scroll) element("lookup").scrollIntoView({ block: "start" });
  } catch (problem) {
    if (mine !== asked) return;
    lookedUp = null;
    element("found").replaceChildren();
    lookupError(problem.message);
  }
}

const found = (address) => Promise.all([get(`/providers/${address}`), get(`/points/${address}?limit=${TOP}`)]);

function notice(text, bad = false) {
  const place = element("notice");
  const told = text.charAt(0).toUpperCase() + text.slice(1);
  if (place.textContent !== told) place.textContent = told;
  place.className = bad ? "notice bad" : "notice";
  place.hidden = !text;
}

async function refresh() {
  clearTimeout(timer);
  if (document.hidden) return;
  try {
    const program = await get("/program");
    const first = Math.max(1, program.epochs);
    const [statistics, tiers, epochs, providers, leaderboard, rounds] = await Promise.all([
      get("/statistics"),
      get("/tiers"),
      get(`/epochs?limit=${Math.min(500, first)}`),
      get(`/providers?limit=${TOP}`),
      get(leaderboardPath()),
      get(`/rounds?limit=${ROUNDS}`),
    ]);
    const computing = program.phase === "running" && !program.as_of.length;
    notice(computing ? "The chain is being read, and balances are computed for the first time. They appear here by themselves." : "");
    showProgram(program);
    showNumbers(program, statistics, epochs);
    showTiers(tiers);
    showProviders(providers);
    showLeaders(leaderboard);
    showRounds(rounds);
    const places = program.as_of.map((each) => `block ${each.block.toLocaleString("en")} of chain ${each.chain}, ${moment(each.time)}`);
    element("as-of").textContent = places.length ? `As of ${places.join("; ")}` : "No block is counted yet.";
    if (lookedUp) {
      const wanted = lookedUp;
      const [provider, points] = await found(wanted);
      if (lookedUp === wanted) showFound(provider, points);
    }
  } catch (problem) {
    if (problem.status === 404) score = null; // the program has it no more
    if (element("name").textContent === "Loading…") element("name").textContent = "Not ready yet";
    notice(problem.message, problem.status !== 503);
  } finally {
    timer = setTimeout(refresh, REFRESH_MS);
  }
}

element("lookup").addEventListener("submit", (event) => {
  event.preventDefault();
  lookUp(element("address").value.trim());
});
element("why-close").addEventListener("click", () => {
  hideWhy();
  element("found").querySelector(`[data-epoch="${CSS.escape(element("why").dataset.of)}"]`)?.focus();
});
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : refresh()));
if (/^#0x[0-9a-fA-F]{40}$/.test(location.hash)) lookUp(location.hash.slice(1));
refresh();
