// The time line: lanes for servers, closes by cause, clients that were down, and clocks; zoomed and moved by mouse and keys.

const ROW = 26;
const MOST = 10;
const reach = { from: 0, until: 1, low: 0, high: 1 };

function startLanes() {
  const times = [];
  for (const c of closes) if (c.at !== null) times.push(c.at, c.at + (c.after || 0) * 1e6);
  for (const one of [...data.servers, ...data.sources]) for (const at of [one.from, one.until]) if (at !== null) times.push(at);
  if (!times.length) {
    document.getElementById('timeline').hidden = true;
    return;
  }
  // A loop, because spreading 20 000 values into Math.min overflows the stack.
  let [from, until] = [Infinity, -Infinity];
  for (const at of times) { from = Math.min(from, at); until = Math.max(until, at); }
  const margin = Math.max((until - from) * 0.02, 1000);
  Object.assign(reach, { low: from - margin, high: until + margin, from: from - margin, until: until + margin });
  const lanes = document.getElementById('lanes');
  for (const button of document.querySelectorAll('[data-zoom]')) button.addEventListener('click', () => act(button.dataset.zoom));
  lanes.addEventListener('keydown', (event) => {
    const action = { '+': 'in', '=': 'in', '-': 'out', ArrowLeft: 'left', ArrowRight: 'right', 0: 'all' }[event.key];
    if (!action || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act(action);
  });
  lanes.addEventListener('wheel', (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 0.7 : 1 / 0.7, time(event.clientX));
  }, { passive: false });
  drag(lanes);
  new ResizeObserver(draw).observe(lanes);
  draw();
}

function act(action) {
  const width = reach.until - reach.from;
  if (action === 'in') zoom(0.5, (reach.from + reach.until) / 2);
  else if (action === 'out') zoom(2, (reach.from + reach.until) / 2);
  else if (action === 'left') move(-width / 4);
  else if (action === 'right') move(width / 4);
  else look(reach.low, reach.high);
}

function zoom(factor, around) {
  const width = Math.max((reach.until - reach.from) * factor, 20);
  const part = (around - reach.from) / (reach.until - reach.from);
  look(around - width * part, around + width * (1 - part));
}

const move = (by) => look(reach.from + by, reach.until + by);

function look(from, until) {
  const width = Math.min(until - from, reach.high - reach.low);
  reach.from = Math.min(Math.max(from, reach.low), reach.high - width);
  reach.until = reach.from + width;
  draw();
}

function drag(lanes) {
  let held = null;
  lanes.addEventListener('pointerdown', (event) => { if (event.button === 0) held = { x: event.clientX, from: reach.from, until: reach.until, far: false }; });
  window.addEventListener('pointermove', (event) => {
    if (!held) return;
    const by = held.x - event.clientX;
    if (Math.abs(by) > 4) held.far = true;
    if (!held.far) return;
    lanes.classList.add('held');
    const us = by * (held.until - held.from) / plotWidth();
    look(held.from + us, held.until + us);
  });
  window.addEventListener('pointerup', () => {
    if (held && held.far) lanes.addEventListener('click', (event) => event.stopPropagation(), { capture: true, once: true });
    setTimeout(() => { held = null; lanes.classList.remove('held'); });
  });
}

const lanesWidth = () => Math.max(document.getElementById('lanes').clientWidth, 320);
const gutter = () => (lanesWidth() < 700 ? 110 : 210);
const plotWidth = () => lanesWidth() - gutter() - 16;
const x = (at) => gutter() + (at - reach.from) / (reach.until - reach.from) * plotWidth();
function time(clientX) {
  const left = document.getElementById('lanes').getBoundingClientRect().left;
  return reach.from + (clientX - left - gutter()) / plotWidth() * (reach.until - reach.from);
}

function draw() {
  const root = svg('svg', { width: lanesWidth(), height: 10 });
  const pen = { root, y: 8 };
  const axisAt = pen.y;
  pen.y += 22;
  incidentLanes(pen);
  serverLanes(pen);
  closeLanes(pen);
  downLanes(pen);
  clockLanes(pen);
  axis(root, axisAt, pen.y);
  root.setAttribute('height', pen.y + 10);
  root.setAttribute('viewBox', '0 0 ' + lanesWidth() + ' ' + (pen.y + 10));
  document.getElementById('lanes').replaceChildren(root);
  const digits = reach.until - reach.from < 1e5 ? 6 : 3;
  document.getElementById('window').textContent = clock(Math.max(reach.from, reach.low), digits) + ' to ' + clock(reach.until, digits) + ' UTC, ' + duration((reach.until - reach.from) / 1e6);
}

function axis(root, top, bottom) {
  const steps = [];
  for (let size = 1; size < 1e15; size *= 10) steps.push(size, size * 2, size * 5);
  const minutes = [1, 2, 5, 10, 30, 60, 120, 360, 720, 1440].map((count) => count * 60e6);
  const choices = [...steps.filter((size) => size <= 3e7), ...minutes, ...[2, 7, 30].map((days) => days * 86400e6)];
  const most = Math.max(plotWidth() / 110, 2);
  const step = choices.find((size) => (reach.until - reach.from) / size <= most) || choices[choices.length - 1];
  const digits = step >= 1e6 ? 0 : Math.min(6, Math.ceil(-Math.log10(step / 1e6)));
  const first = Math.ceil(reach.from / step) * step;
  for (let at = first; at <= reach.until; at += step) {
    root.prepend(svg('line', { class: 'grid', x1: x(at), x2: x(at), y1: top + 16, y2: bottom }));
    root.append(svg('text', { class: 'axis', x: x(at), y: top + 11, 'text-anchor': 'middle' }, clock(at, digits)));
  }
}

function group(pen, title) {
  pen.y += 8;
  pen.root.append(svg('text', { class: 'group', x: 10, y: pen.y + 10 }, title));
  pen.y += 18;
}

// `end` keeps the end of a name that does not fit: causes and files differ there.
function lane(pen, name, extra, end) {
  const capitals = /^[A-Z0-9]{20}/.test(name);
  const most = gutter() < 200 ? (capitals ? 10 : 13) : capitals ? 20 : 26;
  const cut = end ? '…' + name.slice(1 - most) : name.slice(0, most - 1) + '…';
  const label = svg('text', { x: 10, y: pen.y + 17 }, name.length > most ? cut : name);
  label.append(svg('title', {}, name + (extra ? ', ' + extra : '')));
  pen.root.append(label);
  pen.root.append(svg('line', { class: 'rule', x1: gutter(), x2: gutter() + plotWidth(), y1: pen.y + ROW - 2, y2: pen.y + ROW - 2 }));
  const y = pen.y;
  pen.y += ROW;
  return y;
}

// A bar between two times, cut to what is in view; null when it is not.
function bar(from, until, y, height, name) {
  if (until < reach.from || from > reach.until) return null;
  const left = Math.max(x(from), gutter());
  const right = Math.min(Math.max(x(until), left + 2), gutter() + plotWidth());
  return right < left ? null : svg('rect', { class: name, x: left, y, width: Math.max(right - left, 1), height, rx: 2 });
}

function inView(at) {
  return at !== null && at >= reach.from && at <= reach.until;
}

// From the first to the last close of each incident; the lanes below show what happened in it.
function incidentLanes(pen) {
  const known = data.incidents.filter((incident) => incident.from !== null && !ordinary(incident.cause));
  if (!known.length) return;
  group(pen, 'Incidents');
  for (const incident of known.slice(0, MOST)) {
    const y = lane(pen, incident.id + ' ' + incident.detail, incident.cause);
    const band = bar(incident.from, incident.until, y + 3, 18, 'incident ' + incident.cause);
    if (!band) continue;
    band.append(svg('title', {}, incident.id + ' ' + incident.cause + '/' + incident.detail + ': ' + clock(incident.from, 3) + ' to ' + clock(incident.until, 3)));
    band.addEventListener('click', () => {
      Object.assign(view, { incident: incident.id, cause: '', words: '', outcome: '', from: null, until: null });
      changed();
      document.getElementById('closes').scrollIntoView();
    });
    pen.root.append(band);
    if (!inView(incident.from)) continue;
    for (const at of [incident.from, incident.until]) if (inView(at)) pen.root.append(svg('line', { class: 'mark ' + incident.cause, x1: x(at), x2: x(at), y1: y + 3, y2: y + 21 }));
  }
  rest(pen, known.length - MOST, 'more incidents');
}

function serverLanes(pen) {
  if (!data.servers.length) return;
  group(pen, 'Servers');
  const lives = data.servers.slice(0, 2 * MOST);
  for (const server of lives) {
    const y = lane(pen, server.name, server.end);
    const until = server.until === null ? reach.high : server.until;
    const from = server.from === null ? reach.low : server.from;
    const life = bar(from, until, y + 5, 14, 'up');
    if (life) {
      life.append(svg('title', {}, server.name + ': ' + clock(from, 3) + ' to ' + clock(until, 3) + ', ' + server.end));
      pen.root.append(life);
    }
    if (server.started && inView(from)) pen.root.append(svg('line', { class: 'bar', x1: x(from), x2: x(from), y1: y + 3, y2: y + 21 }));
    if (!['unknown', 'running'].includes(server.end) && inView(until)) {
      pen.root.append(svg('line', { class: 'mark server-shutdown', x1: x(until), x2: x(until), y1: y + 2, y2: y + 22 }));
      const late = x(until) > gutter() + plotWidth() - 90;
      pen.root.append(svg('text', { class: 'note halo', x: x(until) + (late ? -5 : 5), y: y + 17, 'text-anchor': late ? 'end' : 'start' }, server.end));
    }
  }
  rest(pen, data.servers.length - lives.length, 'more server lives');
}

function rest(pen, count, what) {
  if (count <= 0) return;
  pen.root.append(svg('text', { class: 'note', x: 10, y: pen.y + 12 }, 'and ' + grouped(count) + ' ' + what));
  pen.y += 18;
}

function closeLanes(pen) {
  const lanes = new Map();
  for (const c of closes) {
    if (c.at === null) continue;
    if (!lanes.has(c.label)) lanes.set(c.label, []);
    lanes.get(c.label).push(c);
  }
  if (!lanes.size) return;
  group(pen, 'Closes by cause');
  const ranked = [...lanes].sort((a, b) => ordinary(a[1][0].cause) - ordinary(b[1][0].cause) || b[1].length - a[1].length);
  for (const [label, all] of ranked.slice(0, 2 * MOST)) {
    const y = lane(pen, label, plural(all.length, 'close', 'closes'), true);
    const seen = all.filter((c) => inView(c.at));
    if (seen.length <= 400) {
      for (const c of seen) {
        if (x(c.high) - x(c.low) < 5) continue;
        const unsure = bar(c.low, c.high, y + 4, 16, 'unsure ' + c.cause);
        if (unsure) pen.root.append(unsure);
      }
    }
    const bins = new Map();
    for (const c of seen) {
      const bin = Math.floor((x(c.at) - gutter()) / 4);
      if (!bins.has(bin)) bins.set(bin, []);
      bins.get(bin).push(c);
    }
    for (const [bin, held] of bins) {
      const height = Math.min(22, 10 + 4 * Math.log2(held.length));
      const left = gutter() + bin * 4;
      const node = svg('rect', { class: 'close ' + held[0].cause, x: left, y: y + 23 - height, width: 4, height, rx: 1 });
      const first = clock(held[0].at, 6);
      node.append(svg('title', {}, held.length === 1 ? held[0].id + ' ' + (held[0].name || held[0].client) + ', ' + first : plural(held.length, 'close', 'closes') + ' from ' + first));
      node.addEventListener('click', () => {
        const us = (reach.until - reach.from) / plotWidth();
        Object.assign(view, { from: Math.floor(reach.from + bin * 4 * us), until: Math.ceil(reach.from + (bin * 4 + 4) * us), cause: label, words: '', outcome: '', incident: '' });
        changed();
        document.getElementById('closes').scrollIntoView();
      });
      pen.root.append(node);
    }
  }
  rest(pen, ranked.length - 2 * MOST, 'more causes');
}

// How long each client was without a connection: until it was back, or to the end where it never was.
function outages() {
  const clients = new Map();
  for (const c of closes) {
    if (c.at === null || ordinary(c.cause) || c.outcome === 'unknown') continue;
    const name = c.name || c.client.replace(/:\d+$/, '');
    const until = c.after === null ? (c.outcome === 'exited' || c.outcome === 'reconnected' ? c.at : reach.high) : c.at + c.after * 1e6;
    if (!clients.has(name)) clients.set(name, []);
    clients.get(name).push({ c, until, lasting: c.after === null });
  }
  return clients;
}

function downLanes(pen) {
  const clients = outages();
  if (!clients.size) return;
  group(pen, 'Clients without a connection');
  const total = (spans) => spans.reduce((sum, span) => sum + span.until - span.c.at, 0);
  const ranked = [...clients].sort((a, b) => total(b[1]) - total(a[1]) || (a[0] < b[0] ? -1 : 1));
  if (ranked.length > MOST) allDown(pen, ranked);
  for (const [name, spans] of ranked.slice(0, MOST)) {
    const y = lane(pen, name);
    for (const span of spans) {
      const node = bar(span.c.at, span.until, y + 6, 12, 'down ' + span.c.cause + (span.lasting ? ' open' : ''));
      if (!node) continue;
      node.append(svg('title', {}, span.c.id + ' ' + span.c.label + ': ' + span.c.outcome + (span.c.after === null ? '' : ' after ' + duration(span.c.after))));
      pen.root.append(node);
    }
  }
  rest(pen, ranked.length - MOST, 'more clients');
}

// How many clients were down at once.
function allDown(pen, ranked) {
  const edges = [];
  for (const [, spans] of ranked) for (const span of spans) edges.push([span.c.at, 1], [span.until, -1]);
  edges.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  let [down, most] = [0, 0];
  for (const [, by] of edges) { down += by; most = Math.max(most, down); }
  const y = lane(pen, 'at most ' + grouped(most) + ' at once');
  const levels = new Array(Math.ceil(plotWidth() / 2) + 1).fill(0);
  const column = (at) => Math.min(Math.max(Math.round((x(at) - gutter()) / 2), 0), levels.length - 1);
  down = 0;
  edges.forEach(([at, by], index) => {
    down += by;
    const next = index + 1 < edges.length ? edges[index + 1][0] : at;
    if (next < reach.from || at > reach.until) return;
    for (let place = column(at); place <= column(next); place += 1) levels[place] = Math.max(levels[place], down);
  });
  const points = levels.map((level, place) => (gutter() + place * 2) + ',' + (y + 22 - 18 * level / Math.max(most, 1)));
  pen.root.append(svg('polygon', { class: 'down network', points: gutter() + ',' + (y + 22) + ' ' + points.join(' ') + ' ' + (gutter() + plotWidth()) + ',' + (y + 22) }));
}

// Where each source's records lie, and to scale, how unsure its clock is.
function clockLanes(pen) {
  if (!data.sources.length) return;
  group(pen, 'Sources and how unsure their clocks are');
  const known = data.sources.filter((source) => source.from !== null);
  const ranked = [...known].sort((a, b) => a.aligned - b.aligned || (b.high_us - b.low_us) - (a.high_us - a.low_us));
  for (const source of ranked.slice(0, MOST)) {
    const y = lane(pen, source.path.split('/').pop(), source.clock, true);
    const extent = bar(source.from, source.until, y + 9, 6, 'extent');
    if (extent) {
      extent.append(svg('title', {}, source.path + ': ' + source.clock));
      pen.root.append(extent);
    }
    const middle = Math.min(Math.max((source.from + source.until) / 2, reach.from), reach.until);
    const [low, high] = [middle + source.low_us, middle + source.high_us];
    if (source.aligned) {
      const [left, right] = [Math.max(x(low), gutter()), Math.min(x(high), gutter() + plotWidth())];
      pen.root.append(svg('path', { class: 'bar', d: 'M' + left + ' ' + (y + 6) + 'v12M' + right + ' ' + (y + 6) + 'v12M' + left + ' ' + (y + 12) + 'H' + right }));
    }
    const word = source.aligned ? '± ' + duration(Math.max(source.high_us, -source.low_us) / 1e6) : 'not aligned';
    pen.root.append(svg('text', { class: 'note halo', x: Math.min(x(high) + 8, gutter() + plotWidth() - 70), y: y + 16 }, word));
  }
  rest(pen, ranked.length - MOST, 'more sources');
}
