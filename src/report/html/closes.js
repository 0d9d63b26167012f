// The table of closes: filter, sort, rows made as they are needed, details when a row is opened.

const STEP = 200;
const COLUMNS = [
  ['id', 'Close', (c) => c.index],
  ['at', 'Time (UTC)', (c) => (c.at === null ? Infinity : c.at)],
  ['name', 'Client', (c) => c.name || c.client],
  ['client', 'Address', (c) => c.client],
  ['server', 'Server', (c) => c.server],
  ['label', 'Cause', (c) => c.label],
  ['confidence', 'Confidence', (c) => ['stated', 'shown', 'likely', 'possible'].indexOf(c.confidence)],
  ['initiator', 'Ended by', (c) => c.initiator],
  ['outcome', 'Afterwards', (c) => c.outcome + String(c.after === null ? '' : c.after.toFixed(3)).padStart(16, '0')],
];
let listed = [];
let made = 0;

function startTable() {
  const head = document.querySelector('#table thead tr');
  for (const [key, title] of COLUMNS) {
    const button = el('button', { type: 'button', text: title });
    button.addEventListener('click', () => {
      view.down = view.sort === key && !view.down;
      view.sort = key;
      changed();
    });
    head.append(el('th', { scope: 'col', 'data-sort': key }, button));
  }
  options('cause', closes.map((c) => c.label), closes.map((c) => c.cause));
  options('outcome', closes.map((c) => c.outcome), []);
  const form = document.getElementById('filter');
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', () => {
    Object.assign(view, { words: '', cause: '', outcome: '', incident: '', from: null, until: null });
    setTimeout(changed);
  });
  document.getElementById('words').addEventListener('input', (event) => { view.words = event.target.value; changed(); });
  document.getElementById('cause').addEventListener('change', (event) => { view.cause = event.target.value; changed(); });
  document.getElementById('outcome').addEventListener('change', (event) => { view.outcome = event.target.value; changed(); });
  document.getElementById('more').addEventListener('click', () => rows(STEP));
}

// Choices of a select with their counts: causes, and where a cause has several details, the cause as a whole.
function options(id, labels, wholes) {
  const counts = new Map();
  for (const label of labels) counts.set(label, (counts.get(label) || 0) + 1);
  const kinds = new Map();
  for (const whole of wholes) kinds.set(whole, (kinds.get(whole) || 0) + 1);
  for (const [whole, count] of kinds) if (![...counts].some(([label, many]) => label.split('/')[0] === whole && many === count)) counts.set(whole, count);
  const select = document.getElementById(id);
  for (const label of [...counts.keys()].sort()) {
    select.append(el('option', { value: label, text: label + ' (' + grouped(counts.get(label)) + ')' }));
  }
}

function changed() {
  view.open = '';
  writeAddress();
  showTable();
}

function matches(c, words) {
  if (view.cause && c.label !== view.cause && c.cause !== view.cause) return false;
  if (view.outcome && c.outcome !== view.outcome) return false;
  if (view.incident && (c.incident === null || data.incidents[c.incident].id !== view.incident)) return false;
  if (view.from !== null && (c.at === null || c.at < view.from)) return false;
  if (view.until !== null && (c.at === null || c.at >= view.until)) return false;
  if (!words.length) return true;
  const text = [c.id, c.name, c.client, c.server, c.label, c.confidence, c.initiator, c.outcome].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}

function showTable() {
  document.getElementById('words').value = view.words;
  document.getElementById('cause').value = view.cause;
  document.getElementById('outcome').value = view.outcome;
  const words = view.words.toLowerCase().split(/\s+/).filter(Boolean);
  listed = closes.filter((c) => matches(c, words));
  const column = COLUMNS.find(([key]) => key === view.sort) || COLUMNS[1];
  const order = column[2];
  listed.sort((a, b) => {
    const [x, y] = [order(a), order(b)];
    const sign = typeof x === 'string' ? x.localeCompare(y, 'en', { numeric: true }) : x === y ? 0 : x < y ? -1 : 1;
    return (view.down ? -sign : sign) || a.index - b.index;
  });
  for (const head of document.querySelectorAll('#table th')) {
    if (head.dataset.sort === column[0]) head.setAttribute('aria-sort', view.down ? 'descending' : 'ascending');
    else head.removeAttribute('aria-sort');
  }
  document.querySelector('#table tbody').replaceChildren();
  made = 0;
  rows(STEP);
  const parts = [grouped(listed.length) + ' of ' + plural(data.total, 'close', 'closes') + ' shown'];
  if (view.incident) parts.push('of incident ' + view.incident);
  if (view.from !== null) parts.push('between ' + clock(view.from, 3) + ' and ' + clock(view.until, 3));
  document.getElementById('shown').textContent = parts.join(', ');
  if (view.open) open(view.open);
}

function rows(count) {
  const body = document.querySelector('#table tbody');
  const until = Math.min(listed.length, made + count);
  for (; made < until; made += 1) body.append(row(listed[made]));
  const more = document.getElementById('more');
  more.hidden = made >= listed.length;
  more.textContent = 'Show ' + Math.min(STEP, listed.length - made) + ' more of ' + grouped(listed.length - made);
}

function row(c) {
  const toggle = el('button', { type: 'button', class: 'toggle', 'aria-expanded': 'false', 'data-close': c.id, text: c.id });
  const after = c.outcome === 'unknown' ? '' : c.outcome + (c.after === null ? '' : ' after ' + duration(c.after));
  const node = el('tr', { class: 'row ' + c.cause },
    el('td', {}, toggle),
    el('td', { class: 'time mono', text: clock(c.at, c.digits) }),
    el('td', { class: 'name' }, el('bdi', { text: c.name })),
    el('td', { class: 'mono', text: c.client }),
    el('td', { class: 'mono', text: c.server }),
    el('td', {}, el('span', { class: 'tag', text: c.label })),
    el('td', { class: 'word', text: c.confidence }),
    el('td', { text: c.initiator === 'unknown' ? '' : c.initiator }),
    el('td', { text: after }));
  node.addEventListener('click', (event) => {
    if (event.target !== toggle && String(getSelection())) return;
    flip(node, toggle, c);
  });
  return node;
}

function flip(node, toggle, c) {
  const opened = toggle.getAttribute('aria-expanded') === 'true';
  toggle.setAttribute('aria-expanded', String(!opened));
  node.classList.toggle('open', !opened);
  if (opened) {
    node.nextSibling.remove();
    if (view.open === c.id) view.open = '';
  } else {
    node.after(el('tr', { class: 'detail ' + c.cause }, el('td', { colspan: COLUMNS.length }, ...detail(c))));
    view.open = c.id;
  }
  writeAddress();
}

// Opens a close by its id, making rows up to it.
function open(id) {
  const place = listed.findIndex((c) => c.id === id);
  if (place < 0) return;
  if (place >= made) rows(place - made + 1);
  const toggle = [...document.querySelectorAll('#table .toggle')].find((node) => node.dataset.close === id);
  if (toggle.getAttribute('aria-expanded') === 'false') flip(toggle.closest('tr'), toggle, listed[place]);
  toggle.closest('tr').scrollIntoView({ block: 'start', behavior: 'instant' });
}

const parts = new Map();

// The detail of a close, from its part of the data, read once.
function lookUp(c) {
  const number = Math.floor(c.index / data.part);
  if (!parts.has(number)) parts.set(number, JSON.parse(document.getElementById('part-' + number).textContent));
  const part = parts.get(number);
  return [part.closes[c.index % data.part], (text) => (text === null ? '' : part.strings[text])];
}

function detail(c) {
  const [found, text] = lookUp(c);
  const nodes = [el('p', {}, el('bdi', { text: text(found.summary) }))];
  if (found.facts.length) {
    nodes.push(el('p', { class: 'quiet' }, el('bdi', { text: found.facts.map(([name, fact]) => name + ': ' + text(fact)).join(' · ') })));
  }
  nodes.push(el('h4', { text: 'Evidence' }), evidence(found.evidence, text));
  if (found.rivals.length || found.missing.length) {
    const points = el('ul', { class: 'points' });
    for (const [name, why] of found.rivals) points.append(point('rather than ' + text(name) + ':', text(why)));
    for (const what of found.missing) points.append(point('missing:', text(what)));
    nodes.push(points);
  }
  if (found.ladder.length) nodes.push(el('h4', { text: 'The last packets, operations and log lines' }), ladder(found, text, c));
  if (found.after.length) nodes.push(el('h4', { text: 'Afterwards' }), evidence(found.after, text));
  if (found.remedy.length) {
    const steps = el('ul', { class: 'points' });
    for (const step of found.remedy) steps.append(el('li', {}, coded(text(step))));
    nodes.push(el('h4', { text: 'What to do' }), steps);
  }
  if (found.filter !== null) {
    nodes.push(el('h4', { text: 'In Wireshark' }), el('code', { class: 'filterline', text: text(found.filter) }));
  }
  return nodes;
}

function point(lead, says) {
  return el('li', {}, el('span', { class: 'lead', text: lead + ' ' }), el('bdi', { text: says }));
}

// Text in which `back-quoted` words are code.
function coded(says) {
  const node = el('bdi');
  says.split('`').forEach((part, index) => node.append(index % 2 ? el('code', { text: part }) : part));
  return node;
}

function evidence(pieces, text) {
  const list = el('ol', { class: 'evidence' });
  for (const [place, at, digits, says, supports, written] of pieces) {
    const time = at === null ? el('span') : el('time', { text: clock(at, digits), title: written === null ? null : 'written as ' + text(written) });
    const quote = el('span', {}, supports ? null : el('span', { class: 'against-word', text: 'against: ' }), el('q', { text: text(says) }));
    list.append(el('li', { class: supports ? null : 'against' }, time, el('bdi', { class: 'cite', text: text(place) }), quote));
  }
  return list;
}
